package acked

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
)

// oldSlot is the size of a slot of the first format, which had no magic: the log's second letter, the segment's number and the bytes
// (8 each, little-endian), and a CRC-32C. Under 'o' the bytes were when the folders had been looked at last, in Unix ms. A slot of zeros was free.
const oldSlot = 1 + 8 + 8 + 4

// soon is how long before the last look a block may have been made that holds what a log file held.
const soon = 10 * time.Minute

func old(text []byte) (entries []roll.Entry, ok bool) {
	written := int64(0)
	for ; len(text) >= oldSlot; text = text[oldSlot:] {
		body := text[:oldSlot-4]
		if len(bytes.Trim(text[:oldSlot], "\x00")) == 0 {
			ok = true
			continue
		}
		if roll.Sum(body) != binary.LittleEndian.Uint32(text[oldSlot-4:]) {
			continue
		}
		ok = true
		n, size := int64(binary.LittleEndian.Uint64(body[1:])), int64(binary.LittleEndian.Uint64(body[9:])) //nolint:gosec // the same bits
		if body[0] == 'o' {
			written = size - soon.Milliseconds()
		} else {
			entries = append(entries, roll.Entry{Kind: body[0], N: [roll.Numbers]int64{n, 0, size}})
		}
	}
	for i := range entries {
		entries[i].N[3] = written
	}
	return entries, ok
}
