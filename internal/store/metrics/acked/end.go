package acked

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The framing of Prometheus' log (tsdb/docs/format/wal.md).
const (
	pageSize   = 32 << 10
	headerSize = 7

	typeMask = 7
	full     = 1
	last     = 4
)

// End is where the last whole record within the first size bytes of a segment ends, looking from a
// place where one ended. Checksums are not looked at: what is asked about was just written.
func End(segment io.ReaderAt, from, size int64) (int64, error) {
	end, at := from, from
	page := make([]byte, min(pageSize, max(0, size-from)))
	for at < size {
		rest := page[:min(pageSize-at%pageSize, size-at)]
		if _, err := segment.ReadAt(rest, at); err != nil {
			return end, fmt.Errorf("read from %d on: %w", at, err)
		}
		next := at + int64(len(rest))
		for len(rest) >= headerSize && rest[0]&typeMask != 0 { // zeros fill the page
			fragment := headerSize + int(binary.BigEndian.Uint16(rest[1:]))
			if fragment > len(rest) {
				return end, nil
			}
			at += int64(fragment)
			if kind := rest[0] & typeMask; kind == full || kind == last {
				end = at
			}
			rest = rest[fragment:]
		}
		at = next
	}
	return end, nil
}
