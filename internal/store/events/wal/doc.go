// Package wal is the event store's write-ahead log: append-only segments, each
// belonging to one head and deleted once that head is sealed.
//
// It makes batches durable (Segment.Append returns after fdatasync, which
// concurrent callers share) and gives them back (Replay). It does not know
// heads, does not choose names beyond FileName, and deletes nothing by itself.
//
// In: batches of model values through EncodeLogs and EncodeSpans. Out: the same through
// DecodeLogs and DecodeSpans. The payload is our own compact encoding; the
// planned form is the intake's raw request, which saves encoding a second time.
//
// A segment is
//
//	magic "SBWAL\x00\x01\n" · records
//	record: magic "SBR1" · length u32 · CRC-32C u32 of length and payload · payload (S2 block)
//
// all little-endian. Of a segment that is encrypted the header of package cipherfile stands for the magic, and each payload is
// sealed; lengths and checksums are of what is on the disk, so that damage is told from a missing key.
// A record that was cut off by a crash ends the segment (a
// torn tail); damage before the end is skipped to the next record whose checksum
// holds, and reported with its place.
//
// Invariants: bytes before the last synced record are never changed. After a failed
// write the file is cut back to its last whole record; when that or a sync fails the
// segment takes no more. Lock order: syncMu before mu.
//
// Start reading at segment.go, then replay.go and batch.go.
package wal
