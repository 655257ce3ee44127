// Package part is the sealed form of events: one Parquet file with one row
// group, and beside it one .idx file.
//
// It writes a head's snapshot as a pair of files, opens pairs, and gives
// metadata, page filters, roll-ups and the Parquet columns. It does not decide
// when to seal or to delete (package events) and does not evaluate filters (package
// scan). DuckDB reads the Parquet files as they are; column names are SQL names.
//
// In: *head.Logs, *head.Spans. Out: *Part; whole rows again through ReadLogs and ReadSpans.
//
// Files of a store's folder, DAY in UTC:
//
//	logs/2026-11-21/20261121T101500Z-20261121T102959Z-0005e8a1b2c3d4e5.parquet   the rows
//	logs/2026-11-21/20261121T101500Z-20261121T102959Z-0005e8a1b2c3d4e5.idx       filters and roll-ups
//	spans/…                                                                     the same for spans
//
// The name carries the time range, so that a damaged file's loss can be named.
//
// Row order. Logs: by (shape, service, time), shape = the first 8 message bytes with digits
// masked. Spans: grouped by trace in order of first arrival, then by start: a
// trace is one run of rows.
//
// Rows are numbered from 0; a block is BlockRows rows. The columns message (logs) and
// span_id have one Parquet page per block; other columns have larger pages, always whole
// blocks. Filters are per block.
//
// Absent values: text columns are required and "" when absent, trace_id, span_id
// and parent_span_id are zero bytes. Promoted attributes (see Promoted) are the
// only OPTIONAL columns.
//
// A record's attributes are those of the JSON column "attributes" followed by
// its promoted columns (so that the last of a doubled key is the promoted one);
// the order of arrival is not kept. Events and links are JSON columns, "[]" if none.
//
// Invariants: the content of a published pair never changes. The .idx file appears before the
// .parquet file, whose rename is the commit point, and goes before it when both are
// deleted: a .parquet without .idx is complete and gets its .idx rebuilt, an .idx
// without .parquet is left over or tells of a lost file.
//
// Start reading at part.go, then schema.go, index.go and publish.go.
package part
