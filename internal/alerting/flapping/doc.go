// Package flapping damps alerts that begin and end again and again: it holds such an alert open until it
// stays quiet for long enough, so that it pages once and not every few minutes.
//
// It changes ends alone. An alert that fires goes on at once and as it is, so no first page is hidden; an end is put
// off and never dropped: the alert keeps a time at which it ends by itself, whatever becomes of whoever sent it and of
// this package's memory. It neither groups nor delivers.
//
// In: alerts as they are put into the pipeline. Out: the same alerts, those held with a later end and an annotation
// that says why.
//
// The way it judges is that of Nagios and Icinga, which count state changes in a window and keep an object flapping
// until there are fewer, told in firings, which people count; the way it holds is Prometheus' keep_firing_for. What was counted is
// in memory only: after a restart an alert is damped again once it has fired often enough again.
//
// Start reading at Damper.Damp.
package flapping
