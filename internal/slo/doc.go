// Package slo evaluates SLOs: it reads what was counted, has it judged, and tells whom that concerns.
//
// Each reason has a room: definition makes Definitions of OpenSLO files; indicator reads what they measure; history
// counts it, minute by minute; judgement, which is pure, says how an SLO stands; results writes that as metrics. Here is the
// engine, which runs all of them soon after new samples arrived, raises and resolves burn alerts, and answers what the API
// and the gate ask; and Replay, which does the same over the past. It does not route alerts (alerting does), decide on
// deployments (gate does) or keep samples (store/metrics does).
//
// In: the catalog of definitions, a Querier, a signal that samples arrived. Out:
// model.SLOStatus, SLOSnapshot and SLOHistory, alerts, signalbox_slo_* metrics,
// and the records that survive a restart.
//
// Invariants: all evaluation runs in Run's goroutine; readers see the last finished evaluation. Locks guard memory alone: none is
// held during a query, or while an alert or a record goes to a disk or a network. Lock order: members.mu, objective.mu, that of a history.
//
// Start reading at engine.go, then objective.go and judgement's Judge.
package slo
