package part

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/store/events/bin"
)

// FuzzIndexMetadata feeds the .idx decoders what checksums would let through.
func FuzzIndexMetadata(f *testing.F) {
	p := writeSomeLogs(f, someLogs(60))
	file, err := os.ReadFile(p.IndexPath())
	if err != nil {
		f.Fatal(err)
	}
	meta := file[indexHeader : indexHeader+int(binary.LittleEndian.Uint32(file[len(indexMagic)+2:]))]
	f.Add(meta)
	f.Add(file[p.info.base+p.info.trace.length+p.info.blocks.length:])
	f.Fuzz(func(t *testing.T, b []byte) {
		for format := uint8(oldestIndex); format <= indexFormat; format++ {
			info, err := decodeIndexMeta(b, format)
			if err != nil {
				continue
			}
			info.Format = indexFormat
			again := decodeMeta(bin.NewReader(encodeMeta(&info.Meta)), indexFormat)
			if d := cmp.Diff(info.Meta, again); d != "" {
				t.Fatalf("does not survive another round:\n%s", d)
			}
		}
		if list, err := decodeRollups(b, &p.Meta); err == nil {
			if again, err := decodeRollups(encodeRollups(list), &p.Meta); err != nil || !cmp.Equal(list, again) {
				t.Fatalf("roll-ups do not survive another round: %v", err)
			}
		}
	})
}
