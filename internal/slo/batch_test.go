package slo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// fleet is many services with the same SLO each.
type fleet struct {
	tb  testing.TB
	db  *tsdb.DB
	now time.Time
	n   int
}

func newFleet(tb testing.TB, n int) *fleet {
	tb.Helper()
	db, err := tsdb.Open(tb.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return &fleet{tb: tb, db: db, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), n: n}
}

// pass writes samples every 15 s.
func (f *fleet) pass(d time.Duration) {
	f.tb.Helper()
	for end := f.now.Add(d); f.now.Before(end); {
		f.now = f.now.Add(15 * time.Second)
		app := f.db.AppenderV2(context.Background())
		for s := range f.n {
			for i, status := range []string{"ok", "error"} {
				ls := labels.FromStrings("__name__", "requests_total", "service", fmt.Sprint("s.", s), "status", status)
				v := float64((f.now.Unix() - 1.7e9) * int64(s%7+1) / int64(1+50*i))
				if _, err := app.Append(0, ls, 0, f.now.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
					f.tb.Fatal(err)
				}
			}
		}
		if err := app.Commit(); err != nil {
			f.tb.Fatal(err)
		}
	}
}

func (f *fleet) engine() *slo.Engine {
	f.tb.Helper()
	var docs []string
	for s := range f.n {
		name := fmt.Sprint("s.", s)
		docs = append(docs, strings.NewReplacer("edge-ok", name, `service="edge"`, `service="`+name+`"`, "service: edge", "service: "+name).Replace(availability("99.5")))
	}
	dir := f.tb.TempDir()
	for i := 0; i < len(docs); i += 1000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(strings.Join(docs[i:min(i+1000, len(docs))], "---\n")), 0o600); err != nil {
			f.tb.Fatal(err)
		}
	}
	catalog, err := definition.NewCatalog(nil, nil)
	if err != nil {
		f.tb.Fatal(err)
	}
	if err := catalog.Reload([]string{filepath.Join(dir, "*.yaml")}); err != nil {
		f.tb.Fatal(err)
	}
	e, err := slo.New(slo.DefaultConfig(), slo.Deps{Catalog: catalog, Querier: promexpr.NewEvaluator(f.db, time.Minute, nil), Now: func() time.Time { return f.now }})
	if err != nil {
		f.tb.Fatal(err)
	}
	return e
}

func TestAskedTogetherSLOsAreAsTheyAreAskedAlone(t *testing.T) {
	f := newFleet(t, 12)
	together, alone := f.engine(), f.engine()
	f.pass(30 * time.Minute)
	for range 20 {
		f.pass(15 * time.Second)
		for _, e := range []*slo.Engine{together, alone} {
			if err := e.Settle(t.Context(), f.now); err != nil {
				t.Fatal(err)
			}
			alone.Alone()
		}
	}
	if together.Families() != 24 || alone.Families() != 0 {
		t.Fatalf("%d and %d counters are asked for together", together.Families(), alone.Families())
	}
	a, _, err := together.SLOs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := alone.SLOs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" || a[0].Budget.Total == 0 {
		t.Error(diff)
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTenThousand judges 10,000 SLOs with a sample every 15 s: what
// one evaluation costs, and what the minute's sealing adds.
func BenchmarkTenThousand(b *testing.B) {
	f := newFleet(b, 10_000)
	f.pass(5 * time.Minute)
	for _, mode := range []string{"alone", "together"} {
		b.Run(mode, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			e := f.engine()
			if err := e.Settle(b.Context(), f.now); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			var used time.Duration
			steps := 0
			for b.Loop() {
				for range 4 { // a minute of evaluations, one a scrape
					f.pass(15 * time.Second)
					if mode == "alone" {
						e.Alone()
					}
					start := cpu()
					e.Judge(b.Context(), f.now)
					used += cpu() - start
					steps++
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
			b.ReportMetric(used.Seconds()/float64(steps)/15*100, "%core")
		})
	}
}
