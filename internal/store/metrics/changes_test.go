package metrics

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/store/metrics/past"
)

// told is whether a metric may have changed in the hour of a time.
func told(r *past.Reader, metric string, at time.Time) bool {
	hours, _ := r.Changed()
	for _, h := range hours {
		if h.Start.Equal(at.Truncate(time.Hour)) && h.Names.May(metric) {
			return true
		}
	}
	return false
}

func TestWhichSamplesAreLate(t *testing.T) {
	now := time.Now()
	clock := now
	s, err := Open(DefaultConfig(), Deps{Dir: t.TempDir(), Registerer: prometheus.NewRegistry(), Settled: 10 * time.Minute, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.Changes()
	series := labels.FromStrings("__name__", "up", "job", "a")
	add := func(app storage.AppenderV2, at time.Time, opts storage.AOptions) {
		t.Helper()
		if _, err := app.Append(0, series, 0, at.UnixMilli(), 1, nil, nil, opts); err != nil && !partial(err) {
			t.Error(err)
		}
	}
	end := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	late := now.Add(-11 * time.Minute)
	for _, c := range []struct {
		name string
		do   func()
		want bool
	}{
		{"in time", func() {
			app := s.AppenderV2(t.Context())
			add(app, now.Add(-9*time.Minute), storage.AOptions{})
			end(app.Commit())
		}, false},
		{"late, and its exemplar is refused", func() {
			app := s.AppenderV2(t.Context())
			add(app, late, storage.AOptions{Exemplars: []exemplar.Exemplar{{Labels: labels.FromStrings("id", "x"), Ts: now.UnixMilli(), HasTs: true}, {Labels: labels.FromStrings("id", "y"), Ts: 1, HasTs: true}}})
			end(app.Commit())
		}, true},
		{"given up", func() {
			app := s.AppenderV2(t.Context())
			add(app, late.Add(time.Second), storage.AOptions{})
			end(app.Rollback())
		}, false},
		{"given up by a recording rule", func() {
			app := s.Appender(t.Context())
			_, err := app.Append(0, series, late.Add(time.Second).UnixMilli(), 1)
			end(err)
			end(app.Rollback())
		}, false},
		{"a late histogram of a recording rule", func() {
			app := s.Appender(t.Context())
			_, err := app.AppendHistogram(0, series, late.Add(3*time.Second).UnixMilli(), tsdbutil.GenerateTestHistogram(1), nil)
			end(err)
			end(app.Commit())
		}, true},
		{"refused because it is too old", func() {
			app := s.AppenderV2(t.Context())
			if _, err := app.Append(0, series, 0, now.Add(-40*time.Hour).UnixMilli(), 1, nil, nil, storage.AOptions{}); err == nil {
				t.Error("taken")
			}
			end(app.Commit())
		}, false},
		{"under way until it was late", func() {
			app := s.AppenderV2(t.Context())
			add(app, now.Add(-9*time.Minute+time.Second), storage.AOptions{})
			clock = now.Add(2 * time.Minute)
			end(app.Commit())
		}, true},
		{"under way for as long, and in time", func() {
			app := s.AppenderV2(t.Context())
			add(app, clock, storage.AOptions{})
			clock = clock.Add(2 * time.Minute)
			end(app.Commit())
		}, false},
		{"deleted", func() {
			end(s.Delete(context.Background(), late.UnixMilli(), late.UnixMilli(), labels.MustNewMatcher(labels.MatchEqual, "job", "a")))
		}, true},
		{"deleted by another name", func() {
			end(s.Delete(context.Background(), late.UnixMilli(), late.UnixMilli(), labels.MustNewMatcher(labels.MatchEqual, "__name__", "down")))
		}, false},
		{"deleted where there is nothing", func() {
			end(s.Delete(context.Background(), 0, 1, labels.MustNewMatcher(labels.MatchEqual, "job", "a")))
		}, false},
	} {
		c.do()
		if got := told(r, "up", late); got != c.want {
			t.Errorf("%s: told %t, want %t", c.name, got, c.want)
		}
	}
}

// What is on the disk of an acknowledged sample is there of its hour as well.
func TestAnHourIsOnTheDiskBeforeItsSamplesAreAcknowledged(t *testing.T) {
	disk, dir := &platter{}, t.TempDir()
	s := openOn(t, dir, disk)
	if err := putAcknowledged(s, time.Now().Add(-3*time.Hour), 1); err != nil {
		t.Fatal(err)
	}
	if files := disk.names(); !slices.ContainsFunc(files, func(name string) bool { return filepath.Base(name) == past.Name }) {
		t.Errorf("only %v", files)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name string
		back time.Duration
	}{{"in time", 0}, {"late", time.Hour}} {
		b.Run(c.name, func(b *testing.B) {
			s, err := Open(DefaultConfig(), Deps{Dir: b.TempDir(), Registerer: prometheus.NewRegistry()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			const series = 2000
			refs := make([]storage.SeriesRef, series)
			lists := make([]labels.Labels, series)
			for i := range lists {
				lists[i] = labels.FromStrings("__name__", "http_requests_total", "instance", string(rune('a'+i%26))+string(rune('a'+i/26%26)), "n", time.Duration(i).String())
			}
			at := time.Now().Add(-c.back).UnixMilli()
			b.ReportAllocs()
			for b.Loop() {
				app := s.AppenderV2(b.Context())
				at += 10
				for i := range lists {
					if refs[i], err = app.Append(refs[i], lists[i], 0, at, float64(i), nil, nil, storage.AOptions{}); err != nil {
						b.Fatal(err)
					}
				}
				if err := app.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
