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
	meta := file[indexHeader : indexHeader+int(binary.LittleEndian.Uint32(file[len(indexMagic):]))]
	f.Add(meta)
	f.Add(file[p.info.base+p.info.trace.length+p.info.blocks.length:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if info, err := decodeIndexMeta(b); err == nil {
			again := decodeMeta(bin.NewReader(encodeMeta(nil, &info.Meta)))
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

// FuzzWords checks that words are cut and hashed alike however a text is put together.
func FuzzWords(f *testing.F) {
	f.Add("GET /orders/17 für Kunde", "Straße K")
	f.Fuzz(func(t *testing.T, a, b string) {
		alone := append(wordsOf(a), wordsOf(b)...)
		if d := cmp.Diff(alone, wordsOf(a+" "+b)); d != "" {
			t.Fatalf("words of %q and %q depend on their neighbours:\n%s", a, b, d)
		}
		Words(a, func(h uint64, start, end int) bool {
			if w := wordsOf(a[start:end]); len(w) != 1 || w[0] != h {
				t.Fatalf("%q of %q is not one word", a[start:end], a)
			}
			return true
		})
	})
}
