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
// place where one ended. It reads headers only: what is asked about was just written.
func End(segment io.ReaderAt, from, size int64) (int64, error) {
	end := from
	var header [headerSize]byte
	for at := from; at < size; {
		left := pageSize - at%pageSize
		if left < headerSize {
			at += left
			continue
		}
		if size-at < headerSize {
			return end, nil
		}
		if _, err := segment.ReadAt(header[:], at); err != nil {
			return end, fmt.Errorf("read a header at %d: %w", at, err)
		}
		kind := header[0] & typeMask
		if kind == 0 { // zeros fill the page
			at += left
			continue
		}
		at += headerSize + int64(binary.BigEndian.Uint16(header[1:]))
		if at <= size && (kind == full || kind == last) {
			end = at
		}
	}
	return end, nil
}
