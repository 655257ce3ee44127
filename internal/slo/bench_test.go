package slo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// BenchmarkEvaluate judges 24 SLOs, each over 200 series sampled every
// 15 s: once after each arrival (Step), and from nothing with a day of history (Start).
func BenchmarkEvaluate(b *testing.B) {
	const services, series = 24, 200
	db, err := tsdb.Open(b.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for at := now.Add(-6 * time.Hour); !at.After(now); at = at.Add(15 * time.Second) {
		app := db.AppenderV2(context.Background())
		for s := range services {
			for i := range series {
				ls := labels.FromStrings("__name__", "requests_total", "service", fmt.Sprint("s", s), "route", fmt.Sprint(i/2), "status", []string{"ok", "error"}[i%2])
				if _, err := app.Append(0, ls, 0, at.UnixMilli(), float64(at.Unix()), nil, nil, storage.AOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := app.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	var docs []string
	for s := range services {
		name := fmt.Sprint("s", s)
		docs = append(docs, strings.NewReplacer("edge-ok", name, `service="edge"`, `service="`+name+`"`, "service: edge", "service: "+name).Replace(availability("99.5")))
	}
	file := filepath.Join(b.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(docs, "---\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	catalog, err := definition.NewCatalog(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := catalog.Reload([]string{file}); err != nil {
		b.Fatal(err)
	}
	engine := func() *slo.Engine {
		e, err := slo.New(slo.DefaultConfig(), slo.Deps{Catalog: catalog, Querier: promexpr.NewEvaluator(db, time.Minute, nil), Now: func() time.Time { return now }})
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	b.Run("Start", func(b *testing.B) {
		for b.Loop() {
			if err := engine().Settle(b.Context(), now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Step", func(b *testing.B) {
		e := engine()
		if err := e.Settle(b.Context(), now); err != nil {
			b.Fatal(err)
		}
		at := now
		for b.Loop() {
			at = at.Add(time.Millisecond)
			if err := e.Settle(b.Context(), at); err != nil {
				b.Fatal(err)
			}
		}
	})
}
