package part

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/signalbox-project/signalbox/internal/model"
)

// columnOf reads one column of a part by itself, and how many rows each of its pages has.
func columnOf(t *testing.T, p *Part, name string) (values []parquet.Value, pages []int64) {
	t.Helper()
	chunk, err := p.Column(name)
	if err != nil || chunk == nil {
		t.Fatalf("column %s: %v, %v", name, chunk, err)
	}
	list := chunk.Pages()
	defer list.Close()
	for {
		page, err := list.ReadPage()
		if errors.Is(err, io.EOF) {
			return values, pages
		}
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]parquet.Value, page.NumValues())
		if n, err := page.Values().ReadValues(buf); n != len(buf) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%d of %d values, %v", n, len(buf), err)
		}
		for _, v := range buf {
			values = append(values, v.Clone())
		}
		pages = append(pages, page.NumRows())
		parquet.Release(page)
	}
}

func textsOf(values []parquet.Value) (out []string) {
	for _, v := range values {
		out = append(out, string(v.ByteArray()))
	}
	return out
}

// What doc.go promises to those who read the Parquet files themselves.
func TestColumnsHoldWhatTheDocumentationSays(t *testing.T) {
	rows := []model.LogRecord{
		{
			Time: day + 1, Level: model.LevelWarn, TraceID: model.TraceID{1, 15: 2}, SpanID: model.SpanID{3, 7: 4}, RequestID: "r", Message: "a",
			Resource: &model.Resource{Tenant: "acme", Service: "edge", Namespace: "ns", Env: "prod", Region: "eu", Version: "1", Instance: "i", Attrs: model.Attrs{attr("host", model.StringValue("h"))}},
			Attrs:    model.Attrs{attr("route", model.StringValue("/")), attr("n", model.IntValue(7)), attr("rare", model.FloatValue(2))},
		},
		{Time: day, Message: "b", Resource: &model.Resource{}},
		{Time: day, Message: "c", Level: 99, Resource: &model.Resource{}},
	}
	for i := range 4 { // so that route and n get their columns
		rows = append(rows, model.LogRecord{Time: day, Message: fmt.Sprint("d", i), Attrs: rows[0].Attrs[:2]})
	}
	p := writeSomeLogs(t, rows)
	for name, want := range map[string][]string{
		ColMessage: {"a", "b", "c"}, ColLevel: {"warn", "", "fatal"}, ColRequestID: {"r", "", ""}, ColService: {"edge", "", ""}, ColNamespace: {"ns", "", ""},
		ColEnv: {"prod", "", ""}, ColRegion: {"eu", "", ""}, ColVersion: {"1", "", ""}, ColInstance: {"i", "", ""}, ColTenant: {"acme", "", ""},
		ColResource: {`{"host":"h"}`, "{}", "{}"}, ColAttributes: {`{"rare":2.0}`, "{}", "{}"},
		ColTraceID: {"\x01" + string(make([]byte, 14)) + "\x02", string(make([]byte, 16)), string(make([]byte, 16))},
		ColSpanID:  {"\x03\x00\x00\x00\x00\x00\x00\x04", string(make([]byte, 8)), string(make([]byte, 8))},
	} {
		values, _ := columnOf(t, p, name)
		if got := textsOf(values)[:3]; !slices.Equal(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
		for i, v := range values {
			if v.IsNull() {
				t.Errorf("%s of row %d is null: only attributes may be", name, i)
			}
		}
	}
	route, _ := columnOf(t, p, PromotedPrefix+"route")
	n, _ := columnOf(t, p, PromotedPrefix+"n")
	if string(route[0].ByteArray()) != "/" || !route[1].IsNull() || n[0].Int64() != 7 || !n[2].IsNull() {
		t.Errorf("attributes' own columns: %v, %v", route, n)
	}
	if at, _ := columnOf(t, p, ColTimestamp); at[0].Int64() != day+1 || at[1].Int64() != day {
		t.Errorf("times %v", at[:2])
	}
	if chunk, err := p.Column("attr.rare"); chunk != nil || err != nil {
		t.Errorf("a column that is not there: %v, %v", chunk, err)
	}
}

func TestColumnsOfSpans(t *testing.T) {
	p := writeSomeSpans(t, []model.Span{
		{
			Start: day, Duration: 5, Name: "GET", Kind: model.SpanKindClient, Status: model.StatusError, StatusMessage: "s", TraceState: "a=b", Scope: "http", ParentID: model.SpanID{1},
			Events: []model.SpanEvent{{Time: 1, Name: "e"}}, Links: []model.SpanLink{{TraceID: model.TraceID{2}, SpanID: model.SpanID{3}}},
		},
		{Start: day + 1, Kind: 99, Status: 99},
	})
	for name, want := range map[string][]string{
		ColName: {"GET", ""}, ColKind: {"client", ""}, ColStatus: {"error", "error"}, ColStatusMessage: {"s", ""}, ColTraceState: {"a=b", ""}, ColScope: {"http", ""},
		ColEvents: {`[{"time_unix_nano":1,"name":"e"}]`, "[]"}, ColParentSpanID: {"\x01" + string(make([]byte, 7)), string(make([]byte, 8))},
		ColLinks: {`[{"trace_id":"02000000000000000000000000000000","span_id":"0300000000000000"}]`, "[]"},
	} {
		values, _ := columnOf(t, p, name)
		if got := textsOf(values); !slices.Equal(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if d, _ := columnOf(t, p, ColDuration); d[0].Int64() != 5 || d[1].Int64() != 0 {
		t.Errorf("durations %v", d)
	}
}

// Readers skip by the block: a page never has a part of one.
func TestPagesAreWholeBlocks(t *testing.T) {
	const rows = 9*BlockRows + 3
	p := writeSomeLogs(t, someLogs(rows))
	for _, c := range p.rowsColumns(t) {
		_, pages := columnOf(t, p, c)
		total := int64(0)
		for i, n := range pages {
			if total += n; n%BlockRows != 0 && i != len(pages)-1 {
				t.Errorf("%s: page %d has %d rows", c, i, n)
			}
			if n != BlockRows && i != len(pages)-1 && (c == ColMessage || c == ColSpanID) {
				t.Errorf("%s: page %d has %d rows, want one block", c, i, n)
			}
		}
		if total != rows {
			t.Errorf("%s has %d rows, want %d", c, total, rows)
		}
	}
}

func (p *Part) rowsColumns(t *testing.T) (out []string) {
	t.Helper()
	f, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Root().Columns() {
		out = append(out, c.Name())
	}
	return out
}

// IsHashed is right when the filters have what the dictionaries do not.
func TestAFieldHasADictionaryOrIsHashed(t *testing.T) {
	p := writeSomeLogs(t, someLogs(2000))
	f, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Metadata().RowGroups[0].Columns {
		name := c.MetaData.PathInSchema[0]
		dictionary := slices.Contains(c.MetaData.Encoding, format.RLEDictionary)
		switch name {
		case ColTraceID, ColRequestID, PromotedPrefix + "order.id", PromotedPrefix + "http.route":
			field := name
			if len(name) > len(PromotedPrefix) && name[:len(PromotedPrefix)] == PromotedPrefix {
				field = name[len(PromotedPrefix):]
			}
			if p.IsHashed(field) == dictionary {
				t.Errorf("%s: dictionary %v, hashed %v", field, dictionary, p.IsHashed(field))
			}
		}
	}
}

func TestSignalsAreFoldersAndTables(t *testing.T) {
	if Logs.String() != "logs" || Spans.String() != "spans" {
		t.Errorf("%s, %s", Logs, Spans)
	}
}

func TestAnUnknownTypeOfAnAttributeColumnIsNamed(t *testing.T) {
	for _, c := range []struct {
		node parquet.Node
		want model.ValueKind
	}{
		{parquet.String(), model.KindString},
		{parquet.Int(64), model.KindInt},
		{parquet.Leaf(parquet.DoubleType), model.KindFloat},
		{parquet.Leaf(parquet.BooleanType), model.KindBool},
		{parquet.Int(32), model.KindEmpty},
	} {
		root := openSchema(t, parquet.Group{PromotedPrefix + "k": parquet.Optional(c.node), "other": parquet.Int(32)})
		got, err := promotedOf(root)
		if c.want == model.KindEmpty {
			if err == nil {
				t.Errorf("%s is read as %v", c.node, got)
			}
			continue
		}
		if err != nil || !slices.Equal(got, []Promoted{{"k", c.want}}) {
			t.Errorf("%s is read as %v, %v", c.node, got, err)
		}
	}
}

func openSchema(t *testing.T, g parquet.Group) *parquet.Column {
	t.Helper()
	var buf bytes.Buffer
	if err := parquet.NewWriter(&buf, parquet.NewSchema("log", g)).Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f.Root()
}
