package retention

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

const day = 24 * time.Hour

// written is when everything of the test was written.
func writtenAt() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func keepOf(dir string) Keep {
	return Keep{Tenant: "acme", Dir: dir, Metrics: 40 * day, Logs: 30 * day, Spans: 7 * day, Days: 1000 * day, Audit: 730 * day}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

type sample struct {
	t int64
	h *histogram.Histogram
}

func (s sample) ST() int64                     { return 0 }
func (s sample) T() int64                      { return s.t }
func (s sample) F() float64                    { return 1 }
func (s sample) H() *histogram.Histogram       { return s.h }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Copy() chunks.Sample           { return s }
func (s sample) Type() chunkenc.ValueType {
	if s.h != nil {
		return chunkenc.ValHistogram
	}
	return chunkenc.ValFloat
}

// fill stores one thing of every kind at the time of writing, by the stores themselves.
func fill(t *testing.T, dir string) {
	t.Helper()
	at := writtenAt()
	ctx := t.Context()

	must(t, os.MkdirAll(filepath.Join(dir, "metrics"), 0o750))
	series := storage.NewListSeries(labels.FromStrings("__name__", "up"), []chunks.Sample{sample{t: at.Add(-9 * day).UnixMilli()}, sample{t: at.Add(-8 * day).UnixMilli()}})
	_, err := tsdb.CreateBlock([]storage.Series{series}, filepath.Join(dir, "metrics"), (2 * time.Hour).Milliseconds(), instrument.Silent())
	must(t, err)
	m, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: filepath.Join(dir, "metrics")})
	must(t, err)
	app := m.AppenderV2(ctx)
	for i, h := range []*histogram.Histogram{nil, tsdbutil.GenerateTestHistogram(1), nil} {
		name := []string{"a", "b", "c"}[i]
		_, err := app.Append(0, labels.FromStrings("__name__", name), 0, at.Add(-time.Duration(i)*time.Minute).UnixMilli(), 1, h, nil, storage.AOptions{})
		must(t, err)
	}
	must(t, app.Commit(), m.Close())

	e, err := events.Open(events.DefaultConfig(), events.Deps{Dir: filepath.Join(dir, "events"), Now: writtenAt})
	must(t, err)
	resource := &model.Resource{Service: "edge"}
	must(t, e.AppendLogs(ctx, []model.LogRecord{{Time: at.Add(-time.Hour).UnixNano(), Resource: resource, Message: "one"}, {Time: at.UnixNano(), Resource: resource, Message: "two"}}))
	must(t, e.AppendSpans(ctx, []model.Span{{Start: at.Add(-time.Minute).UnixNano(), Duration: 1, Resource: resource, Name: "GET", TraceID: model.TraceID{1}, SpanID: model.SpanID{1}}}))
	must(t, e.Seal(ctx))
	must(t, e.AppendLogs(ctx, []model.LogRecord{{Time: at.UnixNano(), Resource: resource, Message: "three"}}), e.Close())
	segments, err := filepath.Glob(filepath.Join(dir, "events", "wal", "*"))
	must(t, err)
	for _, s := range segments {
		must(t, os.Chtimes(s, at, at))
	}

	cfg := auditlog.DefaultConfig()
	cfg.Dir = filepath.Join(dir, "audit")
	a, err := auditlog.Open(ctx, cfg, auditlog.Deps{Now: writtenAt})
	must(t, err)
	_, err = a.Audit(ctx, model.AuditEntry{Time: at, Actor: "ann", Action: "x"})
	must(t, err, a.Close())

	s, err := state.Open(ctx, state.Config{Dir: filepath.Join(dir, "state")}, state.Deps{Now: writtenAt})
	must(t, err)
	must(t, s.SaveSLODays(ctx, []store.SLODay{{SLO: "a", Counts: "c", Day: at.Truncate(day), Read: at}, {SLO: "b", Counts: "c", Day: at.Truncate(day), Read: at}}))
	_, err = s.AddDeploy(ctx, model.Deploy{Time: at, Service: "edge", Version: "1", Kind: "deploy", Status: "succeeded"})
	must(t, err, s.Close())

	must(t, os.MkdirAll(filepath.Join(dir, "stream"), 0o750), os.MkdirAll(filepath.Join(dir, "metrics", "quarantine"), 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "stream", "aside.jsonl"), []byte(`{"time":"2026-11-21T12:00:00Z","signal":"logs"}`+"\n"+`{"time":"2026-11-2`), 0o600))
	damaged := filepath.Join(dir, "metrics", "quarantine", "x")
	must(t, os.WriteFile(damaged, nil, 0o600), os.Chtimes(damaged, at, at))
}

func look(t *testing.T, k Keep, now time.Time) map[string]Row {
	t.Helper()
	out := map[string]Row{}
	for _, r := range Look(t.Context(), k, now) {
		if r.Error != "" {
			t.Errorf("%s: %s", r.What, r.Error)
		}
		if r.Tenant != k.Tenant || out[r.What].What != "" || (r.Late > 0) != (r.Cure != "") {
			t.Errorf("%+v", r)
		}
		out[r.What] = r
	}
	return out
}

// Every kind of thing is found, is as old as it was written, and is late exactly when its newest row is older than its retention
// and what the server takes to delete it.
func TestEveryStoreIsLookedAt(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	k := keepOf(dir)
	at := writtenAt()
	for what, want := range map[string]struct {
		count          int
		oldest, newest time.Time
		keep, grace    time.Duration
	}{
		"metrics: blocks":              {1, at.Add(-9 * day), at.Add(-8 * day), 40 * day, grace},
		"metrics: log":                 {1, at.Add(-2 * time.Minute), at, 40 * day, grace},
		"logs: parts":                  {1, at.Add(-time.Hour), at, 30 * day, grace},
		"spans: parts":                 {1, at.Add(-time.Minute), at.Add(-time.Minute), 7 * day, grace},
		"logs and spans: log":          {1, at, at, 30 * day, grace},
		"audit log":                    {1, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, -1, time.UTC), 730 * day, dayGrace},
		"records put aside":            {1, at, at, 30 * day, grace},
		"set aside as damaged":         {1, at, at, 40 * day, grace},
		"counts of SLOs by day":        {1, at.Truncate(day), at.Truncate(day).Add(day), 1000 * day, dayGrace},
		"deployments":                  {1, at, at, 0, 0},
		"gate decisions":               {},
		"metrics: log of late samples": {keep: 40 * day},
	} {
		got := look(t, k, at)[what]
		if got.Count != want.count || !got.Oldest.Equal(want.oldest) || got.Keep != want.keep.Seconds() || got.Late != 0 {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if want.count == 0 {
			continue
		}
		due := want.newest.Add(want.keep + want.grace)
		if want.keep == 0 {
			due = at.AddDate(50, 0, 0)
		}
		if got := look(t, k, due)[what]; got.Late != 0 {
			t.Errorf("%s: late when it is due: %+v", what, got)
		}
		if got := look(t, k, due.Add(time.Millisecond))[what]; got.Late != want.count && want.keep > 0 || got.Proven() != (want.keep == 0) {
			t.Errorf("%s: not late after it was due: %+v", what, got)
		}
	}
}

// A server may use the folder, and nothing of it is changed.
func TestAFolderInUseIsReadAndLeftAsItIs(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	s, err := state.Open(t.Context(), state.Config{Dir: filepath.Join(dir, "state")}, state.Deps{})
	must(t, err)
	defer s.Close()
	_, err = s.AddDeploy(t.Context(), model.Deploy{Time: writtenAt().Add(-time.Hour), Service: "edge", Version: "2", Kind: "deploy", Status: "succeeded"})
	must(t, err)
	names := func() string {
		var list []string
		must(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			list = append(list, path)
			return err
		}))
		return strings.Join(list, "\n")
	}
	before := names()
	got := look(t, keepOf(dir), writtenAt())["deployments"]
	if got.Count != 2 || !got.Oldest.Equal(writtenAt().Add(-time.Hour)) {
		t.Errorf("what is in the write-ahead log is not seen: %+v", got)
	}
	if after := names(); after != before {
		t.Errorf("files were made or deleted:\n%s\nwas\n%s", after, before)
	}
}

func TestWhatCannotBeReadIsNoProof(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	for _, pattern := range []string{"metrics/0*/meta.json", "events/logs/*/*.idx", "audit/*.jsonl", "state/state.db"} {
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		must(t, os.WriteFile(files[0], []byte("damaged"), 0o600))
	}
	bad := map[string]bool{}
	for _, r := range Look(context.Background(), keepOf(dir), writtenAt()) {
		if !r.Proven() {
			bad[r.What] = r.Error != "" && r.Cure != ""
		}
	}
	for _, what := range []string{"metrics: blocks", "logs: parts", "audit log", "counts of SLOs by day"} {
		if !bad[what] {
			t.Errorf("%s: damaged and proven", what)
		}
	}
	if bad["spans: parts"] {
		t.Error("spans: not damaged and not proven")
	}
}

func TestATenantThatNobodyServesIsNamed(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	k := keepOf(dir)
	k.Abandoned = true
	if got := look(t, k, writtenAt().Add(8*day))["spans: parts"]; !strings.Contains(got.Cure, "names no tenant acme") {
		t.Errorf("%+v", got)
	}
	if rows := Look(t.Context(), keepOf(t.TempDir()), writtenAt()); len(rows) < 8 {
		t.Errorf("an empty folder: %+v", rows)
	} else {
		for _, r := range rows {
			if !r.Proven() || r.Count > 0 {
				t.Errorf("an empty folder: %+v", r)
			}
		}
	}
}
