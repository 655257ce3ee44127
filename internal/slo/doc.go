// Package slo judges promises: how much of each error budget is spent, how
// fast, and whom that concerns.
//
// Package definition makes Definitions of OpenSLO files. Engine keeps a ledger of good
// and bad by minute for each of them, judges all of them soon after new samples arrived, raises
// and resolves burn alerts, writes its results as metrics, and answers what the API
// and the gate ask. It does not route alerts (alerting does), decide on deployments (gate does) or
// keep samples (store/metrics does).
//
// In: OpenSLO files, what indicators measured (package indicator), a signal that samples arrived. Out:
// model.SLOStatus, SLOSnapshot and SLOHistory, alerts, signalbox_slo_* metrics,
// and the records that survive a restart.
//
// Invariants: no data is never good data; a state that cannot be known is
// "insufficient" and an active alert stays active until data says otherwise. Every number is a sum over
// minutes that adds up exactly. All evaluation runs in Run's goroutine; readers see the last
// finished evaluation. Lock order: Engine.mu, then promise.mu; neither is held
// during a query.
//
// Start reading at judge.go (the arithmetic, pure), then engine.go.
package slo
