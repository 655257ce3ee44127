package scan_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// twoParts has 3,000 records in each of two parts.
func twoParts(t *testing.T) *plainStore {
	t.Helper()
	s := newPlainStore(t)
	res := &model.Resource{Tenant: "default", Service: "edge", Attrs: model.Attrs{{Key: "host", Value: model.StringValue("h")}}}
	for p := range 2 {
		var logs []model.LogRecord
		for i := range 3000 {
			logs = append(logs, model.LogRecord{
				Time: int64(time.Hour) + int64(p*3000+i)*1e6, Level: model.LevelInfo, RequestID: fmt.Sprint("r", p, i),
				Message: fmt.Sprintf("part %d message %d, %x", p, i, i*7919), Resource: res,
			})
		}
		if err := s.AppendLogs(t.Context(), logs); err != nil {
			t.Fatal(err)
		}
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestADamagedPartIsReportedAndTheOthersAnswer(t *testing.T) {
	s := twoParts(t)
	bad := s.parts[part.Logs][0]
	data, err := os.ReadFile(bad.Path())
	if err != nil {
		t.Fatal(err)
	}
	// All pages; the footer stays, so that the file still opens.
	for i := 4; i < len(data)*6/10; i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(bad.Path(), data, 0o644); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range s.Logs(t.Context(), store.LogQuery{Expr: store.Text{Phrase: "message"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Message[:6] == "part 1" {
			n++
		}
	}
	if n != 3000 || len(s.damaged) == 0 || s.damaged[0] != bad.Name() {
		t.Fatalf("%d of 3,000 records of the sound part, reported as damaged: %v", n, s.damaged)
	}
	values, err := s.LogValues(t.Context(), store.LogQuery{}, "request_id", 1)
	if err != nil || len(values) != 1 {
		t.Fatalf("values: %v, %v", values, err)
	}
}

func TestALostIndexCostsTimeOnly(t *testing.T) {
	s := twoParts(t)
	for _, p := range s.parts[part.Logs] {
		if err := os.Truncate(p.IndexPath(), 100); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range s.Logs(t.Context(), store.LogQuery{Expr: store.Text{Phrase: "message 17"}}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Fatalf("%d records, want 2", n)
	}
	h, err := s.LogHistogram(t.Context(), store.LogQuery{Range: store.Range{Start: 1, End: int64(2 * time.Hour)}}, time.Hour, "level")
	if err != nil || len(h.Series) != 1 || h.Series[0].Counts[1] != 6000 {
		t.Fatalf("histogram without roll-ups: %+v, %v", h, err)
	}
}

func TestAHistogramOfTooManyBucketsIsRefusedWithAReason(t *testing.T) {
	s := newPlainStore(t)
	for _, c := range []struct {
		name string
		r    store.Range
		step time.Duration
	}{
		{"a step of nothing", store.Range{Start: 0, End: 10}, 0},
		{"an empty range", store.Range{Start: 10, End: 10}, time.Second},
		{"a week per millisecond", store.Range{Start: 1, End: int64(7 * 24 * time.Hour)}, time.Millisecond},
		{"all of time", store.Range{Start: -1 << 63, End: 1<<63 - 1}, time.Nanosecond},
	} {
		_, err := s.LogHistogram(t.Context(), store.LogQuery{Range: c.r}, c.step, "level")
		if bad, ok := err.(interface{ BadRequest() }); !ok || bad == nil {
			t.Errorf("%s: %v, want a refusal that is the caller's fault", c.name, err)
		}
	}
}
