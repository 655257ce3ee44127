package search

import (
	"context"
	"fmt"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// What a caller pays from whom values are masked, where the index may be asked and where each record of the time is looked at.
func BenchmarkSearchOfWhoIsMasked(b *testing.B) {
	const n = 50_000
	db, err := events.Open(events.DefaultConfig(), events.Deps{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	res := &model.Resource{Tenant: "default", Service: "edge"}
	var records []model.LogRecord
	for i := range n {
		records = append(records, model.LogRecord{
			Time: int64(i+1) * 1e6, Resource: res, Message: fmt.Sprintf("request %d of account %d was answered in %d ms by upstream %d", i, i%977, i%97, i%13),
			Attrs: model.Attrs{{Key: "http.route", Value: model.StringValue(fmt.Sprintf("/item/%d", i%50))}, {Key: "user.email", Value: model.StringValue(fmt.Sprintf("u%d@example.com", i%1000))}},
		})
	}
	if err := db.AppendLogs(b.Context(), records); err != nil {
		b.Fatal(err)
	}
	s, err := New(DefaultConfig(), Deps{Logs: db, Spans: db, Masks: masking(maskedRules(b))})
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"977", "/answered in 9[0-6] ms by upstream 12/", "http.route:/item/49", "http.route:/item/4*"} {
		e, err := filter.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		for name, ctx := range map[string]context.Context{"sees all": b.Context(), "is masked": lacking(b.Context())} {
			b.Run(text+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.LogHistogram(ctx, store.LogQuery{Tenant: "default", Range: store.Range{Start: 0, End: (n + 2) * 1e6}, Expr: e}, 1e9, ""); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/query")
			})
		}
	}
}
