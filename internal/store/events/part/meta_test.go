package part

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

func TestANameHoldsTheTimesOfItsRows(t *testing.T) {
	const second = int64(1e9)
	for _, c := range []struct{ first, last int64 }{
		{day, day},
		{day, day + 1},
		{day + 1, day + second},
		{day + second - 1, day + second - 1},
		{day - 1, day + 86_400*second},
		{0, 0},
		{-1, 1},
		{-86_400 * second, -1},
		{math.MinInt64 + second, math.MaxInt64 - 2*second},
	} {
		name := Name(c.first, c.last, 77)
		for _, path := range []string{name, name + RowsExt, "logs/2026-11-21/" + name + IndexExt} {
			r, ok := RangeOfName(path)
			if !ok || !r.Contains(c.first) || !r.Contains(c.last) {
				t.Errorf("%s is read as %+v, %v, without [%d, %d]", path, r, ok, c.first, c.last)
			}
			if r.Start <= c.first-second || r.End > c.last+second+1 {
				t.Errorf("%s is read as %+v: a second too much around [%d, %d]", path, r, c.first, c.last)
			}
		}
	}
	for _, name := range []string{"", "x", "-", "--", "20261121T101500Z", "20261121T101500Z-", "20261121T101500Z-x-1", "2026-11-21", "20261321T101500Z-20261121T102959Z-1"} {
		if r, ok := RangeOfName(name); ok {
			t.Errorf("%q is taken for a name of %+v", name, r)
		}
	}
	for at, want := range map[int64]string{day: "2026-11-21", day - 1: "2026-11-20", day + 86_400e9 - 1: "2026-11-21", -1: "1969-12-31"} {
		if got := DayOf(at); got != want {
			t.Errorf("day of %d = %s, want %s", at, got, want)
		}
	}
}

// A map over all rows is the oracle of roll-ups and fields.
func TestRollupsAndFieldsCountWhatTheRowsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		services, keys := []string{"", "a", "b"}, []string{"k", "l", "host"}
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) model.LogRecord {
			r := model.LogRecord{
				Time: rapid.Int64Range(-3*60e9, 3*60e9).Draw(t, "time"), Level: model.Level(rapid.IntRange(0, 6).Draw(t, "level")),
				Resource: &model.Resource{Tenant: rapid.SampledFrom([]string{"default", "acme"}).Draw(t, "tenant"), Service: rapid.SampledFrom(services).Draw(t, "service")},
			}
			for _, as := range []*model.Attrs{&r.Attrs, &r.Resource.Attrs} {
				for range rapid.IntRange(0, 3).Draw(t, "attrs") {
					*as = append(*as, attr(rapid.SampledFrom(keys).Draw(t, "key"), model.IntValue(1)))
				}
			}
			return r
		}), 1, 30).Draw(t, "records")
		type cell struct {
			minute          int64
			tenant, service string
			value           uint8
		}
		wantCells, wantFields := map[cell]uint32{}, map[string]int{}
		for _, r := range records {
			minute := int64(math.Floor(float64(r.Time) / 60e9))
			wantCells[cell{minute, r.Resource.Tenant, r.Resource.Service, uint8(r.Level)}]++
			for _, a := range slices.Concat(r.Attrs, r.Resource.Attrs) {
				wantFields[a.Key]++
			}
		}
		b := head.NewLogs(1)
		b.Append(records)
		x := logsTable(b.Snapshot()).index(Options{})
		list, err := decodeRollups(encodeRollups(x.rollups), &x.Meta)
		if err != nil || !slices.Equal(list, x.rollups) {
			t.Fatalf("roll-ups are read as %v, %v, want %v", list, err, x.rollups)
		}
		gotCells := map[cell]uint32{}
		for i, r := range list {
			gotCells[cell{r.Minute, x.Tenants[r.Tenant], x.Services[r.Service], r.Value}] += r.Count
			if i > 0 && list[i-1].Minute > r.Minute {
				t.Fatalf("roll-ups are not in order of minutes: %v", list)
			}
		}
		if d := gocmp.Diff(wantCells, gotCells, gocmp.AllowUnexported(cell{})); d != "" || len(list) != len(wantCells) {
			t.Fatalf("%d roll-ups (-rows +roll-ups)\n%s", len(list), d)
		}
		gotFields := map[string]int{}
		for _, f := range x.Fields {
			gotFields[f.Key] = f.Count
		}
		if d := gocmp.Diff(wantFields, gotFields); d != "" {
			t.Fatalf("fields (-rows +listed)\n%s", d)
		}
		if !slices.IsSortedFunc(x.Fields, func(a, b FieldCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Key, b.Key)) }) {
			t.Fatalf("fields are not in order of frequency: %v", x.Fields)
		}
	})
}

func TestFloorDivRoundsDown(t *testing.T) {
	for _, c := range [][3]int64{{0, 60, 0}, {59, 60, 0}, {60, 60, 1}, {-1, 60, -1}, {-60, 60, -1}, {-61, 60, -2}, {math.MinInt64, 2, math.MinInt64 / 2}} {
		if got := floorDiv(c[0], c[1]); got != c[2] {
			t.Errorf("%d / %d = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestAPartOfSpansKnowsItsLatestEnd(t *testing.T) {
	p := writeSomeSpans(t, []model.Span{{Start: day, Duration: 90e9}, {Start: day + 60e9, Duration: 1e9}, {Start: day + 30e9}})
	if p.MinTime != day || p.MaxTime != day+60e9 || p.MaxEnd != day+90e9 {
		t.Errorf("starts [%d, %d], end %d", p.MinTime-day, p.MaxTime-day, p.MaxEnd-day)
	}
	list, err := p.Rollups()
	if err != nil || len(list) != 2 || list[0].Count != 2 || list[1].Minute != list[0].Minute+1 {
		t.Errorf("roll-ups by start: %v, %v", list, err)
	}
}

func TestListsOfFieldsAreBounded(t *testing.T) {
	var as model.Attrs
	for i := range maxFields + 50 {
		as = append(as, attr(fmt.Sprintf("k%05d", i), model.IntValue(1)))
	}
	frequent := attr("often", model.IntValue(1))
	p := logsOf(t, logWith("a", append(as, frequent)...), logWith("b", frequent))
	if len(p.Fields) != maxFields || p.Fields[0] != (FieldCount{"often", 2}) {
		t.Errorf("%d fields, first %v", len(p.Fields), p.Fields[0])
	}
	b := head.NewSpans(1)
	b.Append([]model.Span{{Start: day, Events: []model.SpanEvent{{Name: "e", Attrs: as}}}})
	q, err := WriteSpans(disk.OS{}, t.TempDir(), b.Snapshot(), Options{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Release()
	if len(q.Inner) != maxFields || !q.MayHaveInner("one.that.was.not.kept") {
		t.Errorf("%d inner fields; one beyond them is denied", len(q.Inner))
	}
}

func drawMeta(t *rapid.T) Meta {
	texts := func(label string) []string { return rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, label) }
	m := Meta{
		Signal: Signal(rapid.IntRange(0, 1).Draw(t, "signal")), ID: rapid.Uint64().Draw(t, "id"), Rows: rapid.IntRange(0, math.MaxInt).Draw(t, "rows"),
		MinTime: rapid.Int64().Draw(t, "min"), MaxTime: rapid.Int64().Draw(t, "max"), MaxEnd: rapid.Int64().Draw(t, "end"), Size: rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"),
		Segments: rapid.SliceOfN(rapid.Uint64(), 0, 4).Draw(t, "segments"), Replaces: texts("replaces"), Tenants: texts("tenants"), Services: texts("services"),
		Filtered: Filtered{Format: indexFormat, Hashed: texts("hashed"), Escapes: rapid.Bool().Draw(t, "escapes"), Inner: texts("inner")},
	}
	for _, key := range texts("promoted") {
		m.Promoted = append(m.Promoted, Promoted{Key: key, Kind: model.ValueKind(rapid.IntRange(1, 4).Draw(t, "kind"))})
	}
	for _, key := range texts("fields") {
		m.Fields = append(m.Fields, FieldCount{Key: key, Count: rapid.IntRange(0, math.MaxInt).Draw(t, "count")})
	}
	return m
}

func TestMetadataComesBackAndNoEndOfItIsMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMeta(t)
		b := encodeMeta(&m)
		r := bin.NewReader(b)
		if d := gocmp.Diff(m, decodeMeta(r, indexFormat), cmpopts.EquateEmpty()); d != "" || r.Err() != nil {
			t.Fatalf("%v (-written +read)\n%s", r.Err(), d)
		}
		r = bin.NewReader(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		if decodeMeta(r, indexFormat); r.Err() == nil {
			t.Fatal("cut metadata is taken for whole")
		}
	})
}

// The first format had no list of inner fields and knew nothing of escape sequences: its filters hold other
// words, so that nothing may be excluded by them.
func TestAnIndexOfTheFirstFormatExcludesNothing(t *testing.T) {
	m := Meta{Tenants: []string{"default"}, Services: []string{"edge"}}
	b := encodeMeta(&m)
	old := decodeMeta(bin.NewReader(b[:len(b)-2]), 1) // without the two fields that came with format 2
	if old.Format != 1 || old.KnowsWords() || !old.Escapes || !old.MayHaveInner("any") || !old.MayHaveInner("") {
		t.Errorf("%+v", old.Filtered)
	}
	if !old.HasTenant("default") || old.HasTenant("acme") {
		t.Errorf("tenants %v", old.Tenants)
	}
}

func TestFiguresThatContradictEachOtherAreDamage(t *testing.T) {
	encode := func(m Meta, blocks []uint64, trace, all, rollups uint64) []byte {
		b := encodeMeta(&m)
		b = append(b, 0, 0) // where the footer begins, its checksum
		b = binary.AppendUvarint(b, uint64(len(blocks)))
		for _, n := range blocks {
			b = binary.AppendUvarint(b, n)
		}
		for _, n := range []uint64{trace, all, rollups} {
			b = append(binary.AppendUvarint(b, n), 0)
		}
		return b
	}
	two := Meta{Rows: BlockRows + 1}
	if _, err := decodeIndexMeta(encode(two, []uint64{1, 2}, 32, 96, 5), indexFormat); err != nil {
		t.Fatalf("the sound one: %v", err)
	}
	for name, b := range map[string][]byte{
		"a filter too few":           encode(two, []uint64{3}, 32, 96, 5),
		"a filter too many":          encode(two, []uint64{1, 1, 1}, 32, 96, 5),
		"filters longer than told":   encode(two, []uint64{1, 3}, 32, 96, 5),
		"half a filter block":        encode(two, []uint64{1, 2}, 33, 96, 5),
		"a trace filter below zero":  encode(two, []uint64{1, 2}, 1<<63, 96, 5),
		"roll-ups below zero":        encode(two, []uint64{1, 2}, 32, 96, 1<<63),
		"rows below zero":            encode(Meta{Rows: math.MinInt}, nil, 0, 0, 0),
		"neither logs nor spans":     encode(Meta{Signal: 2}, nil, 0, 0, 0),
		"a byte too many at the end": append(encode(two, []uint64{1, 2}, 32, 96, 5), 0),
		"nothing":                    nil,
	} {
		if _, err := decodeIndexMeta(b, indexFormat); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRollupsOfUnknownServicesAreDamage(t *testing.T) {
	m := &Meta{Tenants: []string{"default"}, Services: []string{"a", "b"}}
	good := []Rollup{{Minute: -5, Service: 1, Value: 3, Count: 7}, {Minute: math.MaxInt32, Count: math.MaxUint32}}
	if got, err := decodeRollups(encodeRollups(good), m); err != nil || !slices.Equal(got, good) {
		t.Fatalf("%v, %v", got, err)
	}
	for name, b := range map[string][]byte{
		"unknown tenant":       encodeRollups([]Rollup{{Tenant: 1}}),
		"unknown service":      encodeRollups([]Rollup{{Service: 2}}),
		"more than there are":  {9, 0, 0, 0, 0, 1},
		"cut":                  encodeRollups(good)[:6],
		"a byte too many":      append(encodeRollups(good), 0),
		"no roll-ups, no text": nil,
	} {
		if got, err := decodeRollups(b, m); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhatMetadataExcludes(t *testing.T) {
	m := Meta{
		Tenants: []string{"default", "acme"}, Promoted: []Promoted{{"route", model.KindString}, {"n", model.KindInt}},
		Filtered: Filtered{Format: indexFormat, Hashed: []string{"order.id"}, Inner: []string{store.EventName, "exception.type", "n"}},
	}
	for tenant, want := range map[string]bool{"": true, "acme": true, "acm": false, "ACME": false} {
		if m.HasTenant(tenant) != want {
			t.Errorf("tenant %q: %v", tenant, !want)
		}
	}
	for field, want := range map[string]bool{"order.id": true, "order": false, "": false} {
		if m.IsHashed(field) != want {
			t.Errorf("hashed %q: %v", field, !want)
		}
	}
	for key, want := range map[string]model.ValueKind{"route": model.KindString, "n": model.KindInt, "o": model.KindEmpty} {
		if kind, ok := m.PromotedKind(key); kind != want || ok != (want != model.KindEmpty) {
			t.Errorf("column of %q: %d, %v", key, kind, ok)
		}
	}
	for field, want := range map[string]bool{
		"": true, "exception.type": true, "event.exception.type": true, "link.exception.type": true, // which of the two it is, is not known
		"exception": false, "exception.typed": false, "n": true, "n.a.b": true, "na": false, "event.n.a": true, "event.name": true, "name": false, "route": false,
	} {
		if m.MayHaveInner(field) != want {
			t.Errorf("inner %q: %v", field, !want)
		}
	}
	m.Inner = nil
	if m.MayHaveInner("") || m.MayHaveInner("n") {
		t.Error("a part without events and links may have fields of them")
	}
	for rows, want := range map[int]int{0: 0, 1: 1, BlockRows: 1, BlockRows + 1: 2, 2 * BlockRows: 2} {
		m.Rows = rows
		if m.Blocks() != want {
			t.Errorf("%d rows are %d blocks, want %d", rows, m.Blocks(), want)
		}
	}
}
