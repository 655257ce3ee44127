package part

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

func TestAHashSetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s hashSet
		for range 3 { // a set is used again for the next block
			var want []uint64
			n, step := rapid.IntRange(0, 5000).Draw(t, "n"), rapid.SampledFrom([]uint64{1, 4096, 1 << 33, 1 << 63}).Draw(t, "step")
			for i := range n {
				h := uint64(i/2)*step + 1 // each twice, and many in one slot
				s.add(h)
				want = append(want, h)
			}
			slices.Sort(want)
			want = slices.Compact(want)
			got := slices.Sorted(slices.Values(s.list))
			if !slices.Equal(got, want) {
				t.Fatalf("%d distinct hashes are held as %d", len(want), len(got))
			}
			f := s.filter()
			for _, h := range want {
				if !f.Check(h) {
					t.Fatalf("hash %d is not in its own filter", h)
				}
			}
			if len(s.list) != 0 {
				t.Fatal("a set that gave its filter is not empty")
			}
		}
	})
}

func TestAFilterLetsOneInAHundredPass(t *testing.T) {
	var hashes []uint64
	for i := range uint64(20_000) {
		hashes = append(hashes, store.Mix(i+1))
	}
	f, passed := filterOf(hashes), 0
	for i := range uint64(100_000) {
		if f.Check(store.Mix(i + 1_000_000)) {
			passed++
		}
	}
	if passed > 2000 {
		t.Errorf("%d of 100,000 unknown hashes pass, about 1,000 are meant to", passed)
	}
	if none := filterOf(nil); len(none) != 0 {
		t.Errorf("a filter of nothing takes %d blocks", len(none))
	}
}

// The three hashes stand for different questions: the same texts must not answer for each other.
func TestHashesTellFieldsValuesAndWordsApart(t *testing.T) {
	seen := map[uint64]string{}
	note := func(h uint64, what string) {
		if other, ok := seen[h]; ok || h == 0 {
			t.Errorf("%s hashes as %s does: %d", what, other, h)
		}
		seen[h] = what
	}
	texts := []string{"", "a", "b", "ab", "ba", "a=b", "trace_id", "0"}
	for _, f := range texts {
		for _, v := range texts {
			note(FieldHash(f, v), fmt.Sprintf("field %q=%q", f, v))
		}
		for _, h := range wordsOf(f) {
			if f != "a=b" { // the words of it are those of a and b
				note(h, "word "+f)
				note(InnerWordHash(h), "inner word "+f)
			}
		}
	}
	note(TraceHash(model.TraceID{}), "no trace")
	note(TraceHash(model.TraceID{1}), "trace 1")
	note(TraceHash(model.TraceID{15: 1}), "trace 1 at its end")
}

// logsOf seals records with a message and one attribute each, in the given order of messages.
func logsOf(t testing.TB, records ...model.LogRecord) *Part {
	t.Helper()
	for i := range records {
		if records[i].Time == 0 {
			records[i].Time = day
		}
	}
	return writeSomeLogs(t, records)
}

func logWith(message string, as ...model.Attr) model.LogRecord {
	return model.LogRecord{Message: message, Attrs: as}
}

func may(p *Part, hashes ...uint64) bool { return slices.Contains(p.Candidates(hashes...), true) }

func TestAnAttributeIsFoundByTheValueThatItsRowGives(t *testing.T) {
	for _, c := range []struct {
		value model.Value
		found []string // as key=value
		not   []string
	}{
		{model.StringValue("x y"), []string{"k=x y"}, []string{"k=x", "k=", "l=x y"}},
		{model.IntValue(-5), []string{"k=-5"}, []string{"k=5", "k=-5.0"}},
		{model.FloatValue(2), []string{"k=2"}, []string{"k=2.0"}},
		{model.FloatValue(1e21), []string{"k=1e+21"}, nil},
		{model.BoolValue(true), []string{"k=true"}, []string{"k=1"}},
		{model.JSONValue(`"aGVsbG8="`), []string{"k=aGVsbG8="}, []string{`k="aGVsbG8="`}}, // OTLP's bytes
		{model.JSONValue(`{"a":{"b":[1,"x"]}}`), []string{"k.a.b=1", "k.a.b=x", `k={"a":{"b":[1,"x"]}}`}, []string{"k.a=1", "a.b=1", "k.b=1"}},
		{model.JSONValue(`["GET",["v1"],500]`), []string{"k=GET", "k=v1", "k=500"}, []string{"k=v", "k=v2"}},
		{model.JSONValue(`18446744073709551616`), []string{"k=18446744073709551616"}, nil},
		{model.Value{}, []string{"k="}, nil},
	} {
		p := logsOf(t, logWith("m", attr("k", c.value)))
		for i, list := range [][]string{c.found, c.not} {
			for _, text := range list {
				field, value, _ := strings.Cut(text, "=")
				if got := may(p, FieldHash(field, value)); got != (i == 0) {
					t.Errorf("%#v: %s is in the filter: %v", c.value, text, got)
				}
			}
		}
	}
}

func TestTheBlockOfARowIsACandidate(t *testing.T) {
	var records []model.LogRecord
	for i := range 2*BlockRows + 1 { // three blocks, of which the last has one row
		records = append(records, logWith(fmt.Sprintf("%c word%d", 'a'+i/BlockRows, i), attr("n", model.StringValue(fmt.Sprint("v", i)))))
	}
	p := logsOf(t, records...)
	if p.Blocks() != 3 {
		t.Fatalf("%d blocks, want 3", p.Blocks())
	}
	for _, i := range []int{0, BlockRows - 1, BlockRows, 2*BlockRows - 1, 2 * BlockRows} {
		word, value := wordsOf(fmt.Sprintf("word%d", i)), FieldHash("n", fmt.Sprint("v", i))
		if got := p.Candidates(append(word, value)...); len(got) != 3 || !got[i/BlockRows] {
			t.Errorf("row %d: candidates %v", i, got)
		}
	}
	if got := p.Candidates(); !slices.Equal(got, []bool{true, true, true}) {
		t.Errorf("nothing is asked for, candidates %v", got)
	}
	// Both are there, and in different blocks: no block has both.
	if got := p.Candidates(append(wordsOf("word5"), wordsOf("word2048")...)...); slices.Contains(got, true) {
		t.Errorf("two words of different blocks: candidates %v", got)
	}
}

func TestRowsWithoutWordsAreNoCandidates(t *testing.T) {
	p := logsOf(t, logWith("-- ??"))
	if got := p.Candidates(wordsOf("any")...); !slices.Equal(got, []bool{false}) {
		t.Errorf("a word: candidates %v", got)
	}
	if got := p.Candidates(); !slices.Equal(got, []bool{true}) {
		t.Errorf("nothing is asked for: candidates %v", got)
	}
	if p.MayHaveTrace(model.TraceID{1}) {
		t.Error("a part without traces may have one")
	}
}

func TestSpansAreFoundByWhatTheirEventsAndLinksSay(t *testing.T) {
	b := head.NewSpans(1)
	b.Append([]model.Span{{
		Start: day, Name: "GET /orders", StatusMessage: "deadline exceeded", TraceID: model.TraceID{1},
		Events: []model.SpanEvent{{Name: "exception", Attrs: model.Attrs{attr("exception.type", model.StringValue("Boom Fault")), attr("n", model.JSONValue(`{"a":7}`))}}},
		Links:  []model.SpanLink{{TraceID: model.TraceID{5}, SpanID: model.SpanID{6}, Attrs: model.Attrs{attr("reason", model.StringValue("retry"))}}},
	}})
	p, err := WriteSpans(disk.OS{}, t.TempDir(), b.Snapshot(), Options{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	for _, kv := range [][2]string{
		{store.EventName, "exception"},
		{"exception.type", "Boom Fault"},
		{"n.a", "7"},
		{"reason", "retry"},
		{store.LinkTraceID, model.TraceID{5}.String()},
		{store.LinkSpanID, model.SpanID{6}.String()},
	} {
		if !may(p, FieldHash(kv[0], kv[1])) {
			t.Errorf("%s=%s is not found", kv[0], kv[1])
		}
		if may(p, FieldHash(kv[0], kv[1]+"x")) {
			t.Errorf("%s=%sx is found", kv[0], kv[1])
		}
	}
	for word, want := range map[string][2]bool{ // of the span itself, of its events and links
		"orders": {true, false}, "deadline": {true, false}, "exception": {false, true}, "boom": {false, true}, "retry": {false, true}, "other": {false, false},
	} {
		h := wordsOf(word)[0]
		if got := [2]bool{may(p, h), may(p, InnerWordHash(h))}; got != want {
			t.Errorf("the word %s of the span, of what is within: %v, want %v", word, got, want)
		}
	}
	if want := []string{store.EventName, "exception.type", store.LinkSpanID, store.LinkTraceID, "n", "reason"}; !slices.Equal(p.Inner, want) {
		t.Errorf("inner fields %q, want %q", p.Inner, want)
	}
}

func TestEscapeSequencesAreNamedAndDoNotHideWords(t *testing.T) {
	plain, red := logsOf(t, logWith("ERROR here")), logsOf(t, logWith("\x1b[31mERROR\x1b[0m here"))
	if plain.Escapes || !red.Escapes {
		t.Errorf("escapes: plain %v, coloured %v", plain.Escapes, red.Escapes)
	}
	for name, p := range map[string]*Part{"plain": plain, "coloured": red} {
		if !may(p, wordsOf("error")...) || may(p, wordsOf("31mERROR")...) {
			t.Errorf("%s: the word error is not found, or the colour is a word", name)
		}
	}
}

func TestADamagedIndexCostsSpeedAndIsToldOnce(t *testing.T) {
	for name, damage := range map[string]func(p *Part, index []byte) error{
		"gone":     func(p *Part, _ []byte) error { return os.Remove(p.IndexPath()) },
		"a folder": func(p *Part, _ []byte) error { _ = os.Remove(p.IndexPath()); return os.Mkdir(p.IndexPath(), 0o750) },
		"empty":    func(p *Part, _ []byte) error { return os.Truncate(p.IndexPath(), 0) },
		"cut":      func(p *Part, _ []byte) error { return os.Truncate(p.IndexPath(), p.info.base+1) },
		"a bit of it": func(p *Part, b []byte) error {
			b[p.info.base]++
			b[len(b)-1]++
			b[p.info.base+p.info.trace.length]++
			return os.WriteFile(p.IndexPath(), b, 0o600)
		},
	} {
		p := writeSomeLogs(t, someLogs(100))
		index, err := os.ReadFile(p.IndexPath())
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(p, index); err != nil {
			t.Fatal(err)
		}
		var told []error
		p.OnIndexDamage(func(q *Part, err error) {
			if q != p {
				t.Error("another part is told of")
			}
			told = append(told, err)
		})
		if got := p.Candidates(wordsOf("nowhere")...); got != nil {
			t.Errorf("%s: candidates %v, want all", name, got)
		}
		if !p.MayHaveTrace(model.TraceID{0xff}) {
			t.Errorf("%s: a trace is excluded", name)
		}
		if list, err := p.Rollups(); err == nil || !strings.Contains(err.Error(), p.IndexPath()) {
			t.Errorf("%s: roll-ups %v, %v: want an error that names the file", name, list, err)
		}
		if len(told) != 1 {
			t.Errorf("%s: told %v, want once", name, told)
		}
	}
}

func TestTheHeaderOfAnIndexIsChecked(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	sound, err := os.ReadFile(p.IndexPath())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b []byte){
		"format 0":            func(b []byte) { b[len(indexMagic)] = 0 },
		"a format to come":    func(b []byte) { b[len(indexMagic)] = indexFormat + 1 },
		"no line feed":        func(b []byte) { b[len(indexMagic)+1] = '\r' },
		"metadata of 4 GB":    func(b []byte) { binary.LittleEndian.PutUint32(b[len(indexMagic)+2:], 1<<32-1) },
		"longer than it is":   func(b []byte) { binary.LittleEndian.PutUint32(b[len(indexMagic)+2:], uint32(len(b))+1) },
		"another file's kind": func(b []byte) { copy(b, "PAR1") },
	} {
		bad := slices.Clone(sound)
		change(bad)
		writeFile(t, p.IndexPath(), bad)
		if _, err := ReadMeta(nil, p.path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	writeFile(t, p.IndexPath(), append(sound, 0))
	if _, err := ReadMeta(nil, p.path); err == nil {
		t.Error("a byte too many is taken")
	}
}
