// Package ship sends the audit log on to where a security team reads it: as OTLP logs or as syslog (RFC 5424).
//
// It decides nothing and keeps no entry: it reads the log behind whoever writes to it, so that a receiver that is down holds
// nobody up. In: entries that are on the disk for sure, with the lines that prove them. Out: messages to each target, each
// entry at least once, in their order; how far a target is, in the status, metrics and a file beside the log.
//
// Invariants: a target's position moves only when its receiver has what lies before it, and is on the disk before more is
// sent; a position that does not fit the log begins again at the log's beginning and is named. target.mu guards what Status
// shows; nothing is sent or written while it is held. Start reading at Shipper.Run, then target.round.
package ship
