package bin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextsAreALengthAndTheirBytes(t *testing.T) {
	for _, c := range []struct {
		list []string
		want []byte
	}{
		{nil, []byte{0}},
		{[]string{}, []byte{0}},
		{[]string{""}, []byte{1, 0}},
		{[]string{"a", "ü"}, []byte{2, 1, 'a', 2, 0xc3, 0xbc}},
		{[]string{strings.Repeat("x", 128)}, append([]byte{1, 0x80, 1}, bytes.Repeat([]byte{'x'}, 128)...)},
	} {
		got := AppendTexts([]byte("before"), c.list)
		if !bytes.Equal(got, append([]byte("before"), c.want...)) {
			t.Errorf("%q is written as % x, want % x after what was there", c.list, got, c.want)
		}
	}
}

// step is one thing that is written and read again.
type step struct {
	write func([]byte) []byte
	same  func(*Reader) bool
}

func drawStep(t *rapid.T) step {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		v := rapid.Uint64().Draw(t, "uint")
		return step{func(b []byte) []byte { return binary.AppendUvarint(b, v) }, func(r *Reader) bool { return r.Uint() == v }}
	case 1:
		v := rapid.Int64().Draw(t, "int")
		return step{func(b []byte) []byte { return binary.AppendVarint(b, v) }, func(r *Reader) bool { return r.Int() == v }}
	case 2:
		v := rapid.Byte().Draw(t, "byte")
		return step{func(b []byte) []byte { return append(b, v) }, func(r *Reader) bool { return r.Byte() == v }}
	case 3:
		v := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "fixed")
		return step{func(b []byte) []byte { return append(b, v...) }, func(r *Reader) bool {
			got := make([]byte, len(v))
			r.Fixed(got)
			return bytes.Equal(got, v)
		}}
	case 4:
		v := rapid.String().Draw(t, "text")
		return step{func(b []byte) []byte { return AppendText(b, v) }, func(r *Reader) bool { return r.Text() == v }}
	}
	v := rapid.SliceOf(rapid.String()).Draw(t, "texts")
	return step{func(b []byte) []byte { return AppendTexts(b, v) }, func(r *Reader) bool { return slices.Equal(r.Texts(), v) }}
}

func TestWhatWasWrittenIsReadInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 0, 12).Draw(t, "steps")
		var b []byte
		for _, s := range steps {
			b = s.write(b)
		}
		r := NewReader(b)
		for i, s := range steps {
			if !s.same(r) || !r.OK() {
				t.Fatalf("step %d of %d is read as something else from % x", i, len(steps), b)
			}
		}
		if err := r.Err(); err != nil {
			t.Fatalf("all was read, and yet: %v", err)
		}
		if len(b) == 0 {
			return
		}
		// With any end cut off, one of the steps must miss its bytes.
		r = NewReader(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		for _, s := range steps {
			s.same(r)
		}
		if !errors.Is(r.Err(), ErrShort) {
			t.Fatalf("a cut input reads as whole: %v", r.Err())
		}
	})
}

func TestIntegersAtTheirLimits(t *testing.T) {
	for _, v := range []uint64{0, 127, 128, math.MaxUint32, math.MaxInt64 + 1, math.MaxUint64} {
		if got := NewReader(binary.AppendUvarint(nil, v)).Uint(); got != v {
			t.Errorf("%d is read as %d", v, got)
		}
	}
	for _, v := range []int64{0, -1, 63, -64, 64, math.MaxInt64, math.MinInt64} {
		if got := NewReader(binary.AppendVarint(nil, v)).Int(); got != v {
			t.Errorf("%d is read as %d", v, got)
		}
	}
	tooLong := append(bytes.Repeat([]byte{0xff}, 9), 2) // 65 bits
	for name, read := range map[string]func(*Reader){"Uint": func(r *Reader) { r.Uint() }, "Int": func(r *Reader) { r.Int() }} {
		if r := NewReader(tooLong); true {
			if read(r); !errors.Is(r.Err(), ErrShort) {
				t.Errorf("%s takes an integer of 65 bits: %v", name, r.Err())
			}
		}
	}
}

func TestACountIsNeverMoreThanTheRestCanHold(t *testing.T) {
	rest := func(n int) []byte { return make([]byte, n) }
	for _, c := range []struct {
		count      uint64
		rest, size int
		ok         bool
	}{
		{0, 0, 8, true},
		{1, 7, 8, false},
		{1, 8, 8, true},
		{2, 15, 8, false},
		{2, 16, 8, true},
		{3, 3, 0, true},
		{4, 3, 0, false}, // what has no least size counts as one byte
		{math.MaxUint64, 100, 1, false},
		{math.MaxInt64 + 1, 100, 1, false},
	} {
		r := NewReader(append(binary.AppendUvarint(nil, c.count), rest(c.rest)...))
		want := 0
		if c.ok {
			want = int(c.count)
		}
		if got := r.Count(c.size); got != want || r.OK() != c.ok {
			t.Errorf("%d things of %d bytes in %d: %d, ok %v", c.count, c.size, c.rest, got, r.OK())
		}
	}
}

func TestAfterAnErrorAllIsZeroAndTheErrorStays(t *testing.T) {
	r := NewReader([]byte{5, 'a'}) // a text of five bytes, of which one is there
	if s := r.Text(); s != "" || r.OK() {
		t.Errorf("text = %q, ok %v", s, r.OK())
	}
	dst := []byte{1, 2}
	r.Fixed(dst)
	if r.Uint() != 0 || r.Int() != 0 || r.Byte() != 0 || r.Count(1) != 0 || r.Text() != "" || r.Texts() != nil || !bytes.Equal(dst, []byte{1, 2}) {
		t.Error("something is read behind an error")
	}
	if !errors.Is(r.Err(), ErrShort) {
		t.Errorf("err = %v", r.Err())
	}
	if err := NewReader([]byte{1, 2, 3}).Err(); err == nil || errors.Is(err, ErrShort) || !strings.Contains(err.Error(), "3 bytes") {
		t.Errorf("three bytes too many: %v", err)
	}
	if err := NewReader(nil).Err(); err != nil {
		t.Errorf("nothing to read: %v", err)
	}
}

func TestAListThatEndsTooEarlyIsAnError(t *testing.T) {
	whole := AppendTexts(nil, []string{"one", "", "three"})
	for n := range whole {
		r := NewReader(whole[:n])
		r.Texts()
		if r.OK() {
			t.Errorf("a list cut to %d of %d bytes is taken", n, len(whole))
		}
	}
}

func TestTextAliasesTheInputAndTextsDoNot(t *testing.T) {
	b := AppendTexts(AppendText(nil, "alias"), []string{"copy"})
	r := NewReader(b)
	alias, copies := r.Text(), r.Texts()
	clear(b)
	if alias != "\x00\x00\x00\x00\x00" || copies[0] != "copy" {
		t.Errorf("after the input was cleared: text %q, texts %q", alias, copies)
	}
	if Alias(nil) != "" || Alias([]byte{}) != "" || Alias([]byte("ü")) != "ü" {
		t.Error("Alias gives another text than the bytes")
	}
}
