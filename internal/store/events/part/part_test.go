package part

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

const day = int64(1_795_219_200_000_000_000) // 2026-11-21T00:00:00Z

func resources() []*model.Resource {
	var out []*model.Resource
	for i, s := range []string{"edge", "layout", "file-server"} {
		out = append(out, &model.Resource{
			Tenant: []string{"default", "acme"}[i%2], Service: s, Env: "prod", Region: "eu-1", Version: "1.2.3",
			Instance: fmt.Sprintf("%s-%d", s, i), Attrs: model.Attrs{{Key: "host.name", Value: model.StringValue("h" + s)}},
		})
	}
	return out
}

func someLogs(n int) []model.LogRecord {
	rnd := rand.New(rand.NewPCG(1, 2))
	res := resources()
	out := make([]model.LogRecord, n)
	for i := range out {
		r := model.LogRecord{
			Time: day + int64(i)*1e6 + rnd.Int64N(5e9), Level: model.Level(rnd.IntN(7)), Resource: res[rnd.IntN(len(res))],
			Message: fmt.Sprintf("GET /orders/%d took %d ms für Kunde %d", rnd.IntN(1000), rnd.IntN(100), i),
			Attrs: model.Attrs{
				{Key: "http.route", Value: model.StringValue("/orders/{id}")},
				{Key: "http.status", Value: model.IntValue(int64(200 + rnd.IntN(3)*100))},
				{Key: "order.id", Value: model.StringValue(fmt.Sprintf("o-%d", i))},
				{Key: "ratio", Value: model.FloatValue(float64(rnd.IntN(4)))},
				{Key: "cached", Value: model.BoolValue(i%2 == 0)},
			},
		}
		if i%3 == 0 {
			r.RequestID = fmt.Sprintf("req-%d", i)
			r.TraceID, r.SpanID = model.TraceID{1, byte(i), byte(i >> 8), byte(i >> 16)}, model.SpanID{2, byte(i), byte(i >> 8)}
		}
		if i%100 == 0 {
			r.Message = "connection reset by peer\nsecond line \"quoted\""
			r.Attrs = append(r.Attrs, model.Attr{Key: fmt.Sprintf("rare.%d", i), Value: model.JSONValue(`["a",1]`)},
				model.Attr{Key: "http.status", Value: model.StringValue("teapot")}, model.Attr{Key: "cached", Value: model.BoolValue(true)},
				model.Attr{Key: "float", Value: model.FloatValue(3)}, model.Attr{Key: "empty", Value: model.Value{}})
		}
		out[i] = r
	}
	return out
}

func someSpans(n int) []model.Span {
	rnd := rand.New(rand.NewPCG(3, 4))
	res := resources()
	out := make([]model.Span, n)
	for i := range out {
		trace := i/7 + rnd.IntN(3)
		s := model.Span{
			TraceID: model.TraceID{9, byte(trace), byte(trace >> 8), byte(trace >> 16)}, SpanID: model.SpanID{byte(i), byte(i >> 8), byte(i >> 16), 1},
			Name: []string{"GET /orders", "SELECT", "publish"}[rnd.IntN(3)], Kind: model.SpanKind(rnd.IntN(6)), Status: model.SpanStatus(rnd.IntN(3)),
			Start: day + int64(i)*1e6, Duration: rnd.Int64N(1e9), Scope: "http", Resource: res[rnd.IntN(len(res))],
			Attrs: model.Attrs{{Key: "http.status", Value: model.IntValue(200)}, {Key: "db.table", Value: model.StringValue("orders")}},
		}
		if i%50 == 0 {
			s.ParentID = model.SpanID{7}
			s.StatusMessage = "deadline exceeded"
			s.TraceState = "a=b"
			s.Events = []model.SpanEvent{{Time: s.Start, Name: "exception", Attrs: model.Attrs{{Key: "exception.type", Value: model.StringValue("E")}}}}
			s.Links = []model.SpanLink{{TraceID: model.TraceID{5}, SpanID: model.SpanID{6}}}
		}
		out[i] = s
	}
	return out
}

func writeSomeLogs(t testing.TB, records []model.LogRecord) *Part {
	t.Helper()
	b := head.NewLogs(7)
	b.Append(records)
	p, err := WriteLogs(disk.OS{}, filepath.Join(t.TempDir(), "logs", DayOf(day)), b.Snapshot(), Options{ID: 7, Segments: []uint64{3, 4}, Replaces: []string{"x", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

func writeSomeSpans(t testing.TB, spans []model.Span) *Part {
	t.Helper()
	b := head.NewSpans(8)
	b.Append(spans)
	p, err := WriteSpans(disk.OS{}, filepath.Join(t.TempDir(), "spans", DayOf(day)), b.Snapshot(), Options{ID: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

// byText sorts and normalizes attributes: a part does not keep their order.
func normalLogs(records []model.LogRecord) []model.LogRecord {
	out := slices.Clone(records)
	for i := range out {
		out[i].Attrs = normalAttrs(out[i].Attrs)
	}
	slices.SortFunc(out, func(a, b model.LogRecord) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Message, b.Message))
	})
	return out
}

func normalAttrs(as model.Attrs) model.Attrs {
	as = slices.Clone(as)
	slices.SortStableFunc(as, func(a, b model.Attr) int { return cmp.Compare(a.Key, b.Key) })
	return as
}

var values = gocmp.Comparer(func(a, b model.Value) bool { return a == b })

func TestLogsComeBackAsTheyWereWritten(t *testing.T) {
	want := someLogs(5000)
	p := writeSomeLogs(t, want)
	b := head.NewLogs(1)
	if err := ReadLogs(nil, p.Path(), b); err != nil {
		t.Fatal(err)
	}
	var got []model.LogRecord
	for i := range b.Snapshot().Rows {
		got = append(got, b.Snapshot().Record(i))
	}
	if d := gocmp.Diff(normalLogs(want), normalLogs(got), values); d != "" {
		t.Errorf("records differ (-want +got):\n%.2000s", d)
	}
	if len(p.Promoted) < 5 {
		t.Errorf("promoted = %v, want the five frequent keys", p.Promoted)
	}
	if v := b.Snapshot(); v.Messages.At(0)[:3] != "GET" || v.Messages.At(v.Rows - 1)[:10] != "connection" {
		t.Errorf("rows are not sorted by shape: first %q, last %q", v.Messages.At(0), v.Messages.At(v.Rows-1))
	}
}

func TestSpansComeBackGroupedByTrace(t *testing.T) {
	want := someSpans(5000)
	p := writeSomeSpans(t, want)
	b := head.NewSpans(1)
	if err := ReadSpans(nil, p.Path(), b); err != nil {
		t.Fatal(err)
	}
	snap := b.Snapshot()
	got := map[model.SpanID]model.Span{}
	ended := map[model.TraceID]bool{}
	for i := range snap.Rows {
		s := snap.Span(i)
		got[s.SpanID] = s
		if i > 0 && snap.TraceID[i] != snap.TraceID[i-1] {
			ended[snap.TraceID[i-1]] = true
		}
		if ended[s.TraceID] {
			t.Fatalf("row %d: trace %s is not one run of rows", i, s.TraceID)
		}
	}
	for _, w := range want {
		g := got[w.SpanID]
		w.Attrs, g.Attrs = normalAttrs(w.Attrs), normalAttrs(g.Attrs)
		if d := gocmp.Diff(w, g, values); d != "" {
			t.Fatalf("span differs (-want +got):\n%s", d)
		}
	}
}

func TestIndexTellsWhatThePartHolds(t *testing.T) {
	records := someLogs(5000)
	p := writeSomeLogs(t, records)
	if p.Rows != 5000 || p.ID != 7 || !slices.Equal(p.Segments, []uint64{3, 4}) || !slices.Equal(p.Replaces, []string{"x", "y"}) {
		t.Errorf("meta = %+v", p.Meta)
	}
	if r, ok := RangeOfName(p.Path()); !ok || r.Start > p.MinTime || r.End < p.MaxTime {
		t.Errorf("name %s does not span [%d, %d]", p.Name(), p.MinTime, p.MaxTime)
	}
	if !p.HasTenant("acme") || p.HasTenant("other") {
		t.Errorf("tenants = %v", p.Tenants)
	}
	rollups, err := p.Rollups()
	if err != nil {
		t.Fatal(err)
	}
	total := uint32(0)
	for _, r := range rollups {
		total += r.Count
	}
	if total != 5000 {
		t.Errorf("roll-ups count %d rows, want 5000", total)
	}
	if p.Fields[0].Count != 5050 && p.Fields[0].Count != 5000 {
		t.Errorf("fields = %v", p.Fields[:3])
	}
	traced := 0
	for _, r := range records {
		if !r.TraceID.IsZero() && !p.MayHaveTrace(r.TraceID) {
			t.Fatalf("trace %s is not in the filter", r.TraceID)
		}
	}
	for i := range 1000 {
		if p.MayHaveTrace(model.TraceID{0xff, byte(i), byte(i >> 8)}) {
			traced++
		}
	}
	if traced > 50 {
		t.Errorf("%d of 1000 unknown traces pass the filter", traced)
	}
}

func wordsOf(text string) (out []uint64) {
	store.Words(text, func(h uint64, _, _ int) bool { out = append(out, h); return true })
	return out
}

func TestBlockFiltersFindEveryWordAndSkipMostBlocks(t *testing.T) {
	p := writeSomeLogs(t, someLogs(5000))
	b := head.NewLogs(1)
	if err := ReadLogs(nil, p.Path(), b); err != nil {
		t.Fatal(err)
	}
	snap := b.Snapshot()
	for row := range snap.Rows {
		hashes := wordsOf(snap.Messages.At(row))
		for _, f := range p.Hashed {
			if c, ok := snap.Attributes.Code(f); ok {
				if v, ok := snap.Attributes.Get(row, c); ok {
					hashes = append(hashes, FieldHash(f, v.String()))
				}
			}
		}
		if got := p.Candidates(hashes...); !got[row/BlockRows] {
			t.Fatalf("row %d is not in its block's filter", row)
		}
	}
	count := func(hashes ...uint64) (n int) {
		for _, ok := range p.Candidates(hashes...) {
			if ok {
				n++
			}
		}
		return n
	}
	if !p.IsHashed("order.id") || p.IsHashed("http.route") {
		t.Errorf("hashed = %v, want order.id and not http.route", p.Hashed)
	}
	if n := count(FieldHash("order.id", "o-77")); n < 1 || n > 2 {
		t.Errorf("%d blocks may hold one order id, want 1", n)
	}
	if n := count(FieldHash("rare.300", `["a",1]`)); n < 1 || n > 2 {
		t.Errorf("%d blocks may hold a rare attribute, want 1", n)
	}
	if n := count(wordsOf("CONNECTION Reset")...); n < 1 || n > 2 {
		t.Errorf("%d blocks may hold the rare phrase, want 1", n)
	}
	if n := count(wordsOf("nowhere")...); n > 1 {
		t.Errorf("%d blocks may hold an unknown word", n)
	}
}

func TestALostIndexIsRebuiltEqual(t *testing.T) {
	for name, p := range map[string]*Part{"logs": writeSomeLogs(t, someLogs(3000)), "spans": writeSomeSpans(t, someSpans(3000))} {
		want, err := os.ReadFile(p.IndexPath())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(p.IndexPath()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(nil, p.path); err == nil {
			t.Fatalf("%s: opened without an index", name)
		}
		q, err := Rebuild(disk.OS{}, nil, p.path)
		if err != nil {
			t.Fatal(err)
		}
		q.Release()
		got, err := os.ReadFile(p.IndexPath())
		if err != nil {
			t.Fatal(err)
		}
		a, _, _ := readIndexMeta(nil, p.IndexPath())
		if d := gocmp.Diff(p.Meta, a.Meta); d != "" {
			t.Errorf("%s: metadata differs:\n%s", name, d)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
		}
	}
}

func TestOpenRefusesEveryDamagedByteOfIndexAndFooter(t *testing.T) {
	p := writeSomeLogs(t, someLogs(50))
	index, err := os.ReadFile(p.IndexPath())
	if err != nil {
		t.Fatal(err)
	}
	meta := int(p.info.base)
	for i := range meta {
		bad := slices.Clone(index)
		bad[i] ^= 0x40
		writeFile(t, p.IndexPath(), bad)
		if q, err := Open(nil, p.path); err == nil {
			q.Release()
			t.Fatalf("opened with byte %d of %d flipped", i, meta)
		}
	}
	for i := range index {
		writeFile(t, p.IndexPath(), index[:i])
		if q, err := Open(nil, p.path); err == nil {
			q.Release()
			t.Fatalf("opened with the index cut to %d bytes", i)
		}
	}
	writeFile(t, p.IndexPath(), index)
	rows, err := os.ReadFile(p.Path())
	if err != nil {
		t.Fatal(err)
	}
	for i := int(p.info.tailOffset); i < len(rows); i += 7 {
		bad := slices.Clone(rows)
		bad[i] ^= 1
		writeFile(t, p.Path(), bad)
		if q, err := Open(nil, p.path); err == nil {
			q.Release()
			t.Fatalf("opened with byte %d of the footer flipped", i)
		}
	}
}

func TestADamagedFilterIsNeverTrusted(t *testing.T) {
	p := writeSomeLogs(t, someLogs(3000))
	index, err := os.ReadFile(p.IndexPath())
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(index)
	clear(bad[p.info.base : p.info.base+p.info.trace.length+p.info.blocks.length])
	writeFile(t, p.IndexPath(), bad)
	told := 0
	p.OnIndexDamage(func(*Part, error) { told++ })
	if got := p.Candidates(wordsOf("orders")...); got != nil {
		t.Errorf("candidates = %v from a zeroed filter, want none known", got)
	}
	if !p.MayHaveTrace(model.TraceID{1}) {
		t.Errorf("a zeroed trace filter excludes traces")
	}
	if told != 1 {
		t.Errorf("damage was told %d times, want once", told)
	}
}

func TestDamagedRowsAreAnErrorNotAPanic(t *testing.T) {
	p := writeSomeSpans(t, someSpans(200))
	rows, err := os.ReadFile(p.Path())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(rows); i += 11 {
		bad := slices.Clone(rows)
		bad[i] ^= 0x10
		if w, err := parseFile(bad); err == nil {
			_ = w.spans(head.NewSpans(1))
		}
		if w, err := parseFile(rows[:i]); err == nil {
			_ = w.spans(head.NewSpans(1))
		}
	}
}

func TestAPartIsDeletedWhenItsLastReaderLeaves(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	v := NewView(Logs, []*Part{p}, nil, nil, nil)
	if !p.Acquire() {
		t.Fatal("cannot acquire")
	}
	p.Doom()
	v.Release()
	v.Release()
	if _, err := os.Stat(p.Path()); err != nil {
		t.Fatalf("deleted under a reader: %v", err)
	}
	if !p.Overlaps(store.Range{}) || p.Overlaps(store.Range{Start: 0, End: 1}) {
		t.Error("overlap is wrong")
	}
	p.CloseIdle(time.Now())
	if _, err := p.File(); err != nil {
		t.Fatalf("does not open again: %v", err)
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
