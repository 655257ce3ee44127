package part

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

func drawValue(t *rapid.T) model.Value {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return model.IntValue(rapid.Int64().Draw(t, "int"))
	case 1:
		return model.FloatValue(rapid.Float64().Draw(t, "float"))
	case 2:
		return model.BoolValue(rapid.Bool().Draw(t, "bool"))
	case 3:
		return model.JSONValue(rapid.SampledFrom([]string{`{"a":{"b":[1,"x"]}}`, `[1.5,null,"ü"]`, `{}`, `18446744073709551615`}).Draw(t, "json"))
	}
	return model.StringValue(rapid.SampledFrom([]string{"", "x", "größe", "日志", "\x1b[31mred\x1b[0m", `q"u\o`, "a\nb", "\u2028"}).Draw(t, "text"))
}

// drawKeys are the attributes' keys: few, so that some get a column and some do not.
func drawKeys(t *rapid.T) (out model.Attrs) {
	seen := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "attrs") {
		key := rapid.SampledFrom([]string{"http.route", "n", "tenant", "odd \"key\"", "schlüssel", "k1", "k2"}).Draw(t, "key")
		if !seen[key] {
			out = append(out, model.Attr{Key: key, Value: drawValue(t)})
		}
		seen[key] = true
	}
	return out
}

func drawRes(t *rapid.T) *model.Resource {
	text := func(label string) string { return rapid.SampledFrom([]string{"", "a", "ü", "b c"}).Draw(t, label) }
	return &model.Resource{
		Tenant: rapid.SampledFrom([]string{"default", "acme"}).Draw(t, "tenant"), Service: text("service"), Namespace: text("namespace"), Env: text("env"),
		Region: text("region"), Version: text("version"), Instance: text("instance"), Attrs: drawKeys(t),
	}
}

func drawID[T ~[16]byte | ~[8]byte](t *rapid.T, label string) (id T) {
	for i := range len(id) {
		if b := rapid.SampledFrom([]byte{0, 0, 1, 255}).Draw(t, label); b != 0 {
			id[i] = b
			break
		}
	}
	return id
}

func drawRecord(t *rapid.T) model.LogRecord {
	return model.LogRecord{
		Time: day + rapid.Int64Range(0, 86_399e9).Draw(t, "time"), Level: model.Level(rapid.IntRange(0, int(model.LevelFatal)).Draw(t, "level")),
		TraceID: drawID[model.TraceID](t, "trace"), SpanID: drawID[model.SpanID](t, "span"), RequestID: rapid.SampledFrom([]string{"", "r-1", "r-ü"}).Draw(t, "request"),
		Message: rapid.StringOf(rapid.SampledFrom([]rune("ab 7_ü日\x1b[m\"\\\n"))).Draw(t, "message"), Attrs: drawKeys(t), Resource: drawRes(t),
	}
}

func drawSpan(t *rapid.T) model.Span {
	s := model.Span{
		Start: day + rapid.Int64Range(0, 86_399e9).Draw(t, "start"), Duration: rapid.Int64Range(0, 1e12).Draw(t, "duration"), TraceID: drawID[model.TraceID](t, "trace"), SpanID: drawID[model.SpanID](t, "span"),
		ParentID: drawID[model.SpanID](t, "parent"), Name: rapid.SampledFrom([]string{"", "GET /", "ü"}).Draw(t, "name"), Kind: model.SpanKind(rapid.IntRange(0, 5).Draw(t, "kind")),
		Status: model.SpanStatus(rapid.IntRange(0, 2).Draw(t, "status")), StatusMessage: rapid.SampledFrom([]string{"", "deadline"}).Draw(t, "message"),
		TraceState: rapid.SampledFrom([]string{"", "a=b"}).Draw(t, "state"), Scope: rapid.SampledFrom([]string{"", "http"}).Draw(t, "scope"), Attrs: drawKeys(t), Resource: drawRes(t),
	}
	for range rapid.IntRange(0, 2).Draw(t, "events") {
		s.Events = append(s.Events, model.SpanEvent{Time: rapid.Int64().Draw(t, "at"), Name: "e", Attrs: drawKeys(t)})
	}
	for range rapid.IntRange(0, 1).Draw(t, "links") {
		s.Links = append(s.Links, model.SpanLink{TraceID: model.TraceID{5}, SpanID: model.SpanID{6}, Attrs: drawKeys(t)})
	}
	return s
}

// repeated fills n rows with few drawn ones.
func repeated[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	few := rapid.SliceOfN(rapid.Custom(draw), 1, 5).Draw(t, "rows")
	n := rapid.SampledFrom([]int{len(few), 64, BlockRows, BlockRows + 1, 2500}).Draw(t, "n")
	out := make([]T, n)
	for i := range out {
		out[i] = few[(i*i+i/5)%len(few)]
	}
	return out
}

// sameRows says which rows of two sets, in any order, differ.
func sameRows[T any](a, b []T, text func(*T) string) string {
	texts := func(list []T) (out []string) {
		for i := range list {
			out = append(out, text(&list[i]))
		}
		slices.Sort(out)
		return out
	}
	return gocmp.Diff(texts(a), texts(b))
}

// attrText is attributes whatever their order, which no store keeps.
func attrText(as model.Attrs) string {
	var out []string
	for _, a := range as {
		out = append(out, fmt.Sprintf("%q=%d:%q", a.Key, a.Value.Kind(), a.Value.String()))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

func resText(r *model.Resource) string {
	return fmt.Sprintf("%q", []string{r.Tenant, r.Service, r.Namespace, r.Env, r.Region, r.Version, r.Instance, attrText(r.Attrs)})
}

func logText(r *model.LogRecord) string {
	return fmt.Sprintf("%d %s %s %s %q %q %s %s", r.Time, r.Level, r.TraceID, r.SpanID, r.RequestID, r.Message, attrText(r.Attrs), resText(r.Resource))
}

func spanText(s *model.Span) string {
	text := fmt.Sprintf("%d %d %s %s %s %q %s %s %q %q %q %s %s", s.Start, s.Duration, s.TraceID, s.SpanID, s.ParentID, s.Name, s.Kind, s.Status, s.StatusMessage, s.TraceState, s.Scope, attrText(s.Attrs), resText(s.Resource))
	for _, e := range s.Events {
		text += fmt.Sprintf(" event %d %q %s", e.Time, e.Name, attrText(e.Attrs))
	}
	for _, l := range s.Links {
		text += fmt.Sprintf(" link %s %s %s", l.TraceID, l.SpanID, attrText(l.Attrs))
	}
	return text
}

func TestDrawnLogsComeBackAsTheyWere(t *testing.T) {
	dir, n := t.TempDir(), uint64(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		b := head.NewLogs(n)
		b.Append(repeated(t, drawRecord))
		h := b.Snapshot()
		p, err := WriteLogs(disk.OS{}, dir, h, Options{ID: n})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { p.Doom(); p.Release() }()
		back := head.NewLogs(1)
		if err := ReadLogs(nil, p.Path(), back); err != nil {
			t.Fatal(err)
		}
		got, want := back.Snapshot(), h
		var rows, written []model.LogRecord
		for i := range got.Rows {
			rows = append(rows, got.Record(i))
			if i == 0 {
				continue
			}
			a, b := &rows[i-1], &rows[i]
			if cmp.Or(cmp.Compare(shape([]byte(a.Message)), shape([]byte(b.Message))), cmp.Compare(a.Resource.Service, b.Resource.Service), cmp.Compare(a.Time, b.Time)) > 0 {
				t.Fatalf("row %d comes after %+v: %+v", i, a, b)
			}
		}
		for i := range want.Rows {
			written = append(written, want.Record(i))
		}
		if diff := sameRows(written, rows, logText); diff != "" {
			t.Fatalf("rows (-written +read):\n%s", diff)
		}
		again, err := Open(nil, p.path)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Release()
		if diff := gocmp.Diff(p.Meta, again.Meta, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("metadata (-written +read):\n%s", diff)
		}
		known(t, p, written, func(r *model.LogRecord) (*model.Resource, int64, model.TraceID) { return r.Resource, r.Time, r.TraceID })
	})
}

func TestDrawnSpansComeBackAsTheyWere(t *testing.T) {
	dir, n := t.TempDir(), uint64(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		b := head.NewSpans(n)
		b.Append(repeated(t, drawSpan))
		h := b.Snapshot()
		p, err := WriteSpans(disk.OS{}, dir, h, Options{ID: n})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { p.Doom(); p.Release() }()
		back := head.NewSpans(1)
		if err := ReadSpans(nil, p.Path(), back); err != nil {
			t.Fatal(err)
		}
		got := back.Snapshot()
		var rows, written []model.Span
		ended := map[model.TraceID]bool{}
		for i := range got.Rows {
			rows = append(rows, got.Span(i))
			if i > 0 && got.TraceID[i] != got.TraceID[i-1] {
				ended[got.TraceID[i-1]] = true
			}
			if ended[got.TraceID[i]] {
				t.Fatalf("the spans of trace %s do not lie together", got.TraceID[i])
			}
		}
		for i := range h.Rows {
			written = append(written, h.Span(i))
		}
		if diff := sameRows(written, rows, spanText); diff != "" {
			t.Fatalf("rows (-written +read):\n%s", diff)
		}
		known(t, p, written, func(s *model.Span) (*model.Resource, int64, model.TraceID) { return s.Resource, s.Start, s.TraceID })
	})
}

// known checks what a part says of its rows without reading them.
func known[T any](t *rapid.T, p *Part, rows []T, of func(*T) (*model.Resource, int64, model.TraceID)) {
	first, last := int64(1<<63-1), int64(-1<<63)
	for i := range rows {
		res, at, trace := of(&rows[i])
		first, last = min(first, at), max(last, at)
		if !slices.Contains(p.Tenants, res.Tenant) || !p.HasTenant(res.Tenant) || !slices.Contains(p.Services, res.Service) {
			t.Fatalf("tenant %q, service %q are not in %q, %q", res.Tenant, res.Service, p.Tenants, p.Services)
		}
		if !trace.IsZero() && !p.MayHaveTrace(trace) {
			t.Fatalf("trace %s is denied", trace)
		}
	}
	if p.Rows != len(rows) || p.MinTime != first || p.MaxTime != last || p.HasTenant("nobody") {
		t.Fatalf("%d rows from %d to %d, want %d from %d to %d", p.Rows, p.MinTime, p.MaxTime, len(rows), first, last)
	}
	rolled, err := p.Rollups()
	total := 0
	for _, r := range rolled {
		total += int(r.Count)
	}
	if err != nil || total != len(rows) {
		t.Fatalf("roll-ups count %d of %d rows, %v", total, len(rows), err)
	}
	for _, r := range []store.Range{{Start: last, End: last + 1}, {Start: first - 5, End: first + 1}} {
		if !p.Overlaps(r) {
			t.Fatalf("%+v is denied", r)
		}
	}
	if p.Overlaps(store.Range{Start: last + 1, End: last + 2}) || p.Overlaps(store.Range{Start: first - 1, End: first}) {
		t.Fatal("a range beside the part overlaps it")
	}
}

// Whatever byte of the rows' file is changed, it is an error, or the rows are what they were: never
// others, and never a panic beyond the reader.
func TestAChangedByteOfTheRowsIsNeverTakenForAnotherRow(t *testing.T) {
	records := someLogs(1500)
	p := writeSomeLogs(t, records)
	sound, err := os.ReadFile(p.Path())
	if err != nil {
		t.Fatal(err)
	}
	rowsIn := func(path string) (out []model.LogRecord, err error) {
		b := head.NewLogs(1)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		if err := ReadLogs(nil, path, b); err != nil {
			return nil, err
		}
		h := b.Snapshot()
		for i := range h.Rows {
			out = append(out, h.Record(i))
		}
		return out, nil
	}
	want, err := rowsIn(p.Path())
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(p.IndexPath())
	if err != nil {
		t.Fatal(err)
	}
	path, named, whole := filepath.Join(t.TempDir(), p.Name()), 0, 0
	writeFile(t, path+IndexExt, index)
	const tries = 160
	for i := range tries {
		at := (i*len(sound) + len(sound)/2) / tries
		bad := slices.Clone(sound)
		bad[at] ^= byte(1 << (i % 8))
		writeFile(t, path+RowsExt, bad)
		changed, err := Open(nil, path)
		if err != nil {
			named++ // the end of the file, which the index vouches for
			continue
		}
		got, err := rowsIn(path + RowsExt)
		changed.Release()
		switch {
		case err != nil:
			named++
		case sameRows(want, got, logText) == "":
			whole++
		default:
			t.Errorf("byte %d of %d: %d rows are read without an error, and are not those written", at, len(sound), len(got))
		}
	}
	if named < tries/2 {
		t.Errorf("%d of %d changed bytes are named, %d change nothing", named, tries, whole)
	}
}
