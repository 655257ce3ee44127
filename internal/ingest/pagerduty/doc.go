// Package pagerduty receives PagerDuty's Events API v2, so that what sends there pages through Signalbox after its address was changed.
//
// In: POST /pagerduty/v2/enqueue and /pagerduty/v2/change/enqueue as PagerDuty documents them, up to 512 KB; the routing key is an API
// token of ours, or any text where nobody has to say who they are. Out: alerts through notify.Sender, acknowledged pages, deployment
// markers. It decides neither who is paged nor when.
//
// Invariants: 202 means that the alert is kept. An alert is what one sender calls by one dedup_key: it starts with its first trigger, ends
// with resolve, or a week after the last trigger, and what another sender says of the same key does not touch it. A page is
// acknowledged once every alert in it that fires was acknowledged by its sender. A link that a browser would run is left out.
//
// Start reading at Server.ServeHTTP, then Intake.Take.
package pagerduty
