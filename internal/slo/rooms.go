package slo

import "github.com/signalbox-project/signalbox/internal/slo/definition"

// What the room definition makes and everybody who asks the engine needs.
type (
	// Definition is an SLO as its document says it.
	Definition = definition.Definition
	// Catalog holds the definitions in force.
	Catalog = definition.Catalog
	// BurnAlert is one row of burn alerting.
	BurnAlert = definition.BurnAlert
)

// Effects of a burn alert: how loud it is.
const (
	EffectPage   = definition.EffectPage
	EffectWarn   = definition.EffectWarn
	EffectTicket = definition.EffectTicket
)
