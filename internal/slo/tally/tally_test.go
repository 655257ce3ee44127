package tally_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/tally"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/filter"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

var epoch = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func open(t *testing.T, reg prometheus.Registerer) (*tally.Tally, *events.DB) {
	return openMasked(t, reg, nil)
}

func openMasked(t *testing.T, reg prometheus.Registerer, masks func() *mask.Rules) (*tally.Tally, *events.DB) {
	t.Helper()
	now := func() time.Time { return epoch }
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	db, err := events.Open(events.DefaultConfig(), events.Deps{Dir: t.TempDir(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), st.Close()); err != nil {
			t.Error(err)
		}
	})
	y, err := tally.New(tally.Config{Timeout: 10 * time.Second, Lateness: 2 * time.Minute}, tally.Deps{Registerer: reg, Logs: db, Spans: db, Deploys: st, Now: now, Masks: masks})
	if err != nil {
		t.Fatal(err)
	}
	return y, db
}

func query(t *testing.T, text string) *indicator.EventQuery {
	t.Helper()
	e, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &indicator.EventQuery{Signal: indicator.Logs, Text: text, Expr: e}
}

func record(at time.Time) model.LogRecord {
	return model.LogRecord{Time: at.UnixNano(), Message: "x", Resource: &model.Resource{Tenant: "default", Service: "a"}}
}

// While others write and read, no count is remembered that is not the store's.
func TestCountsAreTheStoresWhileDataArrives(t *testing.T) {
	y, db := open(t, nil)
	q, from := query(t, "service:a"), epoch.Add(-20*time.Minute)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 50 {
				records := []model.LogRecord{record(from.Add(time.Duration(w+i%20) * time.Minute / 2)), record(from.Add(time.Duration(i%20) * time.Minute))}
				if err := db.AppendLogs(t.Context(), records); err != nil {
					t.Error(err)
				}
				y.TapLogs(records)
			}
		})
		all.Go(func() {
			for range 50 {
				if _, err := y.CountEvents(t.Context(), q, from, epoch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	counts, err := y.CountEvents(t.Context(), q, from, epoch)
	if err != nil {
		t.Fatal(err)
	}
	var sum uint64
	for _, n := range counts {
		sum += n
	}
	if sum != 4*50*2 {
		t.Errorf("%d counted, want %d: %v", sum, 4*50*2, counts)
	}
}

func TestLateHoursAreToldOnce(t *testing.T) {
	y, _ := open(t, nil)
	y.TapLogs([]model.LogRecord{record(epoch.Add(-time.Minute)), record(epoch.Add(-26 * time.Hour)), record(epoch.Add(-26*time.Hour + time.Second)), record(epoch.Add(-3 * time.Hour))})
	select {
	case <-y.Arrived():
	default:
		t.Error("nobody was told")
	}
	late := y.Late()[indicator.Logs]
	if len(late) != 2 || !late[0].Equal(epoch.Add(-26*time.Hour).Truncate(time.Hour)) || !late[1].Equal(epoch.Add(-3*time.Hour).Truncate(time.Hour)) {
		t.Errorf("late %v", late)
	}
	if again := y.Late(); len(again) != 0 {
		t.Errorf("again %v", again)
	}
}

// Nothing is read twice for minutes that did not change, and all of it for
// history, which is not remembered.
func TestWhatDidNotChangeIsNotReadAgain(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	y, db := open(t, reg)
	q := query(t, "service:a")
	count := func(from time.Time) {
		t.Helper()
		if _, err := y.CountEvents(t.Context(), q, from, epoch); err != nil {
			t.Fatal(err)
		}
	}
	count(epoch.Add(-time.Hour))
	count(epoch.Add(-30 * time.Minute))
	records := []model.LogRecord{record(epoch.Add(-10 * time.Minute))}
	if err := db.AppendLogs(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	y.TapLogs(records)
	count(epoch.Add(-5 * time.Minute)) // another minute changed
	if n := reads(t, reg); n != 1 {
		t.Errorf("%v reads, want 1", n)
	}
	count(epoch.Add(-time.Hour))
	count(epoch.Add(-24 * time.Hour))
	count(epoch.Add(-24 * time.Hour))
	if n := reads(t, reg); n != 4 {
		t.Errorf("%v reads, want 4", n)
	}
}

func reads(t *testing.T, reg *prometheus.Registry) (sum float64) {
	t.Helper()
	if n, err := testutil.GatherAndCount(reg, "signalbox_slo_event_reads_total"); err != nil || n != 1 {
		t.Fatalf("%d series, %v", n, err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "signalbox_slo_event_reads_total" {
			sum += f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return sum
}

// A store that is closed answers nothing; what could not be counted is counted.
func TestWhatCouldNotBeReadIsCounted(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	y, err := tally.New(tally.Config{Timeout: time.Second}, tally.Deps{Registerer: reg, Logs: &events.DB{}, Spans: &events.DB{}, Deploys: st, Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	q := query(t, "kind:deploy")
	q.Signal = indicator.Deploys
	if _, err := y.CountEvents(t.Context(), q, epoch.Add(-time.Hour), epoch); err == nil {
		t.Error("a closed store answered")
	}
	if n, err := testutil.GatherAndCount(reg, "signalbox_slo_event_read_failures_total"); n != 1 || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
}

// Groups are named by values, which become labels that everybody sees.
func TestNoGroupIsNamedByWhatIsMasked(t *testing.T) {
	rules, err := mask.New(mask.Config{Rules: []mask.Rule{
		{Name: "mail", Fields: []string{"user.email"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceFixed},
		{Name: "cards", Patterns: []string{"card"}, LiftedBy: "unmasked.cards", Replace: mask.ReplaceLast4},
	}}, mask.Key{})
	if err != nil {
		t.Fatal(err)
	}
	y, db := openMasked(t, nil, func() *mask.Rules { return rules })
	var records []model.LogRecord
	for _, note := range []string{"plain", "4111111111111111"} {
		r := record(epoch.Add(-time.Minute))
		r.Attrs = model.Attrs{{Key: "note", Value: model.StringValue(note)}, {Key: "user.email", Value: model.StringValue("ann")}}
		records = append(records, r)
	}
	if err := db.AppendLogs(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string][]string{"note": {"plain"}, "user.email": nil, "service": {"a"}} {
		got, err := y.EventValues(t.Context(), query(t, "service:a"), field, epoch.Add(-time.Hour), epoch)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", field, got, err)
		}
	}
	// What is counted is all that there is.
	if got, err := y.CountEvents(t.Context(), query(t, "service:a"), epoch.Add(-time.Minute), epoch); err != nil || !slices.Equal(got, []uint64{2}) {
		t.Errorf("%v, %v", got, err)
	}
}
