package slo

import "github.com/signalbox-project/signalbox/internal/slo/definition"

// What the room definition makes and everybody who asks the engine needs.

type (
	Definition = definition.Definition
	Catalog    = definition.Catalog
	BurnAlert  = definition.BurnAlert
)

// Effects of a burn alert: how loud it is.
const (
	EffectPage   = definition.EffectPage
	EffectWarn   = definition.EffectWarn
	EffectTicket = definition.EffectTicket
)
