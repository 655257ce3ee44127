package head

import (
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
)

var values = cmp.Comparer(func(a, b model.Value) bool { return a == b })

func record(msg string) model.LogRecord {
	return model.LogRecord{Time: 5, Message: msg, Resource: &model.Resource{Service: "edge"}, Attrs: model.Attrs{
		{Key: "k", Value: model.StringValue(msg)}, {Key: "n", Value: model.IntValue(-1)}, {Key: "k", Value: model.BoolValue(true)},
	}}
}

func TestASnapshotNeverChanges(t *testing.T) {
	b := NewLogs(1)
	b.Append([]model.LogRecord{record("one"), record("two")})
	snap := b.Snapshot()
	want := []model.LogRecord{snap.Record(0), snap.Record(1)}
	for range 1000 {
		b.Append([]model.LogRecord{record("another")})
	}
	if snap.Rows != 2 || b.Snapshot().Rows != 1002 {
		t.Errorf("rows = %d and %d", snap.Rows, b.Snapshot().Rows)
	}
	if d := cmp.Diff(want, []model.LogRecord{snap.Record(0), snap.Record(1)}, values); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(record("two"), snap.Record(1), values); d != "" {
		t.Error(d)
	}
}

func TestSnapshotsAreTakenWhileOthersAppend(t *testing.T) {
	b := NewSpans(1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				b.Append([]model.Span{{Name: "a", Start: 3}, {Name: "b", Start: 4}})
				s := b.Snapshot()
				if s.Rows%2 != 0 || s.Span(s.Rows-1).Name != "b" {
					t.Error("a snapshot shows half a batch")
				}
			}
		})
	}
	wg.Wait()
	if s := b.Snapshot(); s.Rows != 1600 || s.MinTime != 3 || s.MaxTime != 4 {
		t.Errorf("%d rows in [%d, %d]", s.Rows, s.MinTime, s.MaxTime)
	}
}

func TestEqualResourcesAreKeptOnce(t *testing.T) {
	b := NewLogs(1)
	for range 10 {
		b.Append([]model.LogRecord{record("x"), record("y")}) // a new pointer each
	}
	if n := len(b.Snapshot().Resources.Values); n != 1 {
		t.Errorf("%d resources, want 1", n)
	}
}

func TestInvalidTextBecomesValid(t *testing.T) {
	b := NewLogs(1)
	b.Append([]model.LogRecord{{Message: "a\xffb", Attrs: model.Attrs{{Key: "k\xff", Value: model.JSONValue("{broken")}}}})
	r := b.Snapshot().Record(0)
	if r.Message != "a\uFFFDb" || r.Attrs[0].Key != "k\uFFFD" || r.Attrs[0].Value != model.StringValue("{broken") {
		t.Errorf("record = %+v", r)
	}
}

func TestAttributesKeepTheirKindThroughJSON(t *testing.T) {
	want := model.Attrs{
		{Key: "s", Value: model.StringValue("line\n\"quoted\" \\ \x01 ü")},
		{Key: "i", Value: model.IntValue(math.MinInt64)},
		{Key: "f", Value: model.FloatValue(3)},
		{Key: "g", Value: model.FloatValue(1e300)},
		{Key: "z", Value: model.FloatValue(-0.5)},
		{Key: "b", Value: model.BoolValue(true)},
		{Key: "j", Value: model.JSONValue(`{"a":[1,2]}`)},
		{Key: "e", Value: model.Value{}},
		{Key: "s", Value: model.StringValue("twice")},
	}
	got, err := DecodeAttrsJSON(string(AppendAttrsJSON(nil, want)))
	if d := cmp.Diff(want, got, values); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if got := string(AppendAttrsJSON(nil, model.Attrs{{Key: "n", Value: model.FloatValue(math.NaN())}})); got != `{"n":"NaN"}` {
		t.Errorf("NaN is written as %s", got)
	}
}
