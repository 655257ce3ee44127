package indicator

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// event is one span, log record or deployment.
type event struct {
	at     time.Time
	fields map[string]string
}

// room is a store of events that looks at each of them for every question.
type room struct {
	Querier
	events []event
	err    error
	asked  []string       // texts of what was counted
	extra  map[string]int // events that came between two questions, by the later question's text
}

func (r *room) matches(e event, x store.Expr) bool {
	switch x := x.(type) {
	case store.And:
		return !slices.ContainsFunc(x.Exprs, func(one store.Expr) bool { return !r.matches(e, one) })
	case store.Compare:
		return e.fields[x.Field] == x.Value
	}
	panic("the test has no other filters")
}

func (r *room) CountEvents(_ context.Context, q *EventQuery, from, to time.Time) ([]uint64, error) {
	r.asked = append(r.asked, q.Text)
	out := make([]uint64, int(to.Sub(from)/time.Minute))
	for _, e := range r.events {
		if !e.at.Before(from) && e.at.Before(to) && r.matches(e, q.Expr) {
			out[int(e.at.Sub(from)/time.Minute)]++
		}
	}
	for i := range out {
		out[i] += uint64(r.extra[q.Text])
	}
	return out, r.err
}

func (r *room) EventValues(_ context.Context, q *EventQuery, field string, from, to time.Time) (out []string, err error) {
	for _, e := range r.events {
		if v, has := e.fields[field]; has && !e.at.Before(from) && e.at.Before(to) && r.matches(e, q.Expr) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out, r.err
}

func compare(field, value string) *EventQuery {
	return &EventQuery{Signal: Spans, Text: field + ":" + value, Expr: store.Compare{Field: field, Op: store.OpEq, Value: value}}
}

func at(minutes float64) time.Time {
	return midnight.Add(time.Duration(minutes * float64(time.Minute)))
}

// naiveMinute is what the minute that begins at start should count, found by looking at every event.
func (r *room) naiveMinute(s *EventRatio, start time.Time, quiet time.Duration) (c ledger.Cell) {
	for _, e := range r.events {
		if !r.matches(e, s.Total.Expr) || !e.at.Before(start.Add(time.Minute)) {
			continue
		}
		if !e.at.Before(start.Add(-quiet)) {
			c.Minutes = 1
		}
		if e.at.Before(start) {
			continue
		}
		c.Total++
		if hit := r.matches(e, s.part().Expr); hit == (s.Bad != nil) {
			c.Bad++
		}
	}
	return c
}

// drawn is a room with events of two services over three hours, and a ratio over one of them.
func drawn(t *rapid.T) (*room, *EventRatio) {
	r := &room{}
	for range rapid.IntRange(0, 40).Draw(t, "events") {
		r.events = append(r.events, event{at(float64(rapid.IntRange(0, 180*60-1).Draw(t, "second")) / 60), map[string]string{
			"service": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "service"), "status": rapid.SampledFrom([]string{"ok", "error"}).Draw(t, "status"),
		}})
	}
	s := &EventRatio{Total: compare("service", "a"), Quiet: time.Duration(rapid.SampledFrom([]int{0, 1, 5, 45}).Draw(t, "quiet")) * time.Minute}
	if rapid.Bool().Draw(t, "by good") {
		s.Good = compare("status", "ok")
	} else {
		s.Bad = compare("status", "error")
	}
	return r, s
}

func TestEventsAreCountedAsBySomebodyWhoLooksAtEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, s := drawn(t)
		width := time.Duration(rapid.SampledFrom([]int{1, 5, 60}).Draw(t, "width")) * time.Minute
		from := at(float64(rapid.IntRange(0, 120).Draw(t, "from"))).Truncate(width)
		slots := rapid.IntRange(0, 3).Draw(t, "slots")
		cells, err := s.Cells(t.Context(), r, from, from.Add(time.Duration(slots)*width), width)
		if err != nil || len(cells) != slots {
			t.Fatalf("%d slots, want %d, %v", len(cells), slots, err)
		}
		for i, c := range cells {
			var want ledger.Cell
			for m := from.Add(time.Duration(i) * width); m.Before(from.Add(time.Duration(i+1) * width)); m = m.Add(time.Minute) {
				want = want.Add(r.naiveMinute(s, m, s.Quiet))
			}
			if c != want {
				t.Fatalf("slot %d of %s from %s: %+v, want %+v", i, width, from, c, want)
			}
		}
	})
}

// Live ends within a minute: it counts the events of that minute, and so much of the minute as is over.
func TestTheMinuteUnderWayCountsAsFarAsItIsOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, s := drawn(t)
		from := at(float64(rapid.IntRange(0, 120).Draw(t, "from")))
		to := from.Add(time.Duration(rapid.IntRange(0, 20*60).Draw(t, "seconds")) * time.Second)
		r.events = slices.DeleteFunc(r.events, func(e event) bool { return !e.at.Before(to) }) // what is to come is not stored
		got, err := s.Live(t.Context(), r, from, to)
		if err != nil {
			t.Fatal(err)
		}
		var want ledger.Cell
		for m := from; m.Before(to); m = m.Add(time.Minute) {
			c := r.naiveMinute(s, m, s.Quiet)
			if to.Sub(m) < time.Minute {
				c.Minutes *= to.Sub(m).Minutes()
			}
			want = want.Add(c)
		}
		if !near(got, want) {
			t.Fatalf("%s to %s: %+v, want %+v", from, to, got, want)
		}
	})
}

// A good event that is none of total's must not make up for a bad one: an SLO of service a stays bad however well b fares.
func TestWhatIsNotInTotalMakesUpForNothing(t *testing.T) {
	r := &room{events: []event{
		{at(0.1), map[string]string{"service": "a", "status": "error"}},
		{at(0.2), map[string]string{"service": "b", "status": "ok"}},
		{at(0.3), map[string]string{"service": "b", "status": "ok"}},
	}}
	s := &EventRatio{Total: compare("service", "a"), Good: compare("status", "ok")}
	cells, err := s.Cells(t.Context(), r, midnight, at(1), time.Minute)
	if want := (ledger.Cell{Bad: 1, Total: 1, Minutes: 1}); err != nil || cells[0] != want {
		t.Errorf("%+v %v, want %+v", cells, err, want)
	}
	if want := []string{"service:a", "(service:a) AND (status:ok)"}; !slices.Equal(r.asked, want) {
		t.Errorf("asked %q, want %q", r.asked, want)
	}
}

// The second question may see events that the first did not: no count may come out negative, nor more bad than there were.
func TestEventsThatComeBetweenTheQuestionsChangeNoSign(t *testing.T) {
	r := &room{events: []event{{at(0.1), map[string]string{"service": "a", "status": "ok"}}}, extra: map[string]int{"(service:a) AND (status:ok)": 3}}
	for _, s := range []*EventRatio{
		{Total: compare("service", "a"), Good: compare("status", "ok")}, {Total: compare("service", "a"), Bad: compare("status", "ok")},
	} {
		cells, err := s.Cells(t.Context(), r, midnight, at(1), time.Minute)
		if err != nil || cells[0].Bad < 0 || cells[0].Bad > 1 || cells[0].Total != 1 {
			t.Errorf("%+v %v", cells, err)
		}
	}
}

func TestTheNewestEventAndHowLongItMayBeQuiet(t *testing.T) {
	one := func(minutes float64) []event { return []event{{at(minutes), map[string]string{"service": "a"}}} }
	for _, c := range []struct {
		name   string
		quiet  time.Duration
		events []event
		now    float64
		want   float64 // minutes; below zero: none
	}{
		{"nothing ever", 5 * time.Minute, nil, 60, -1},
		{"to the minute", 5 * time.Minute, one(50.2), 60, 51},
		{"not later than now", 5 * time.Minute, one(60.2), 60.5, 60.5},
		{"the oldest that is looked for", 5 * time.Minute, one(45), 60, 46},
		{"older", 5 * time.Minute, one(44.9), 60, -1},
		{"quiet for an hour is allowed: as new as five minutes before that is over", time.Hour, one(10.5), 70, 66},
		{"quiet for an hour and younger", time.Hour, one(50.5), 70, 70},
		{"quiet for longer than an hour", time.Hour, one(9.9), 70, -1},
	} {
		s := &EventRatio{Total: compare("service", "a"), Bad: compare("status", "error"), Quiet: c.quiet}
		got, ok, err := s.Newest(t.Context(), &room{events: c.events}, at(c.now))
		if err != nil || ok != (c.want >= 0) || ok && !got.Equal(at(c.want)) {
			t.Errorf("%s: %s %t %v, want minute %g", c.name, got, ok, err, c.want)
		}
	}
}

// In slices a time without events is no data, however long it may be quiet.
func TestSlicesOfEventsHaveDataOnlyWhereEventsAre(t *testing.T) {
	r := &room{events: []event{
		{at(1.5), map[string]string{"service": "a", "status": "error"}},
		{at(2.5), map[string]string{"service": "a", "status": "ok"}},
		{at(11.5), map[string]string{"service": "a", "status": "ok"}},
	}}
	counts := &EventRatio{Total: compare("service", "a"), Good: compare("status", "ok"), Quiet: time.Hour}
	s := &Slices{Counts: counts, Slice: 5 * time.Minute, Target: 0.9}
	cells, err := s.Cells(t.Context(), r, midnight, at(20), 5*time.Minute)
	want := []ledger.Cell{{Bad: 5, Total: 5, Minutes: 5}, {}, {Total: 5, Minutes: 5}, {}}
	if err != nil || !slices.Equal(cells, want) {
		t.Errorf("%+v %v, want %+v", cells, err, want)
	}
	if EventsOf(s) != counts || EventsOf(&AtPeak{Source: counts}) != counts || EventsOf(&Ratio{}) != nil {
		t.Error("events are not found where they are, or where they are not")
	}
}

func TestEventsNeedAStoreAndTellOfItsFailure(t *testing.T) {
	s := &EventRatio{Total: compare("service", "a"), Bad: compare("status", "error"), Quiet: time.Minute}
	metrics := &scripted{at: func(time.Time) (float64, bool) { return 1, true }}
	closed := errors.New("the store is closed")
	for name, c := range map[string]struct {
		q    Querier
		want error
	}{
		"metrics only":           {metrics, errNoEvents},
		"metrics only, in batch": {NewBatch(metrics, nil), errNoEvents},
		"a store that fails":     {WithEvents(metrics, &room{err: closed}), closed},
		"in batch":               {NewBatch(WithEvents(metrics, &room{err: closed}), nil), closed},
	} {
		_, err := s.Cells(t.Context(), c.q, midnight, at(5), time.Minute)
		_, live := s.Live(t.Context(), c.q, midnight, at(5))
		_, _, newest := s.Newest(t.Context(), c.q, at(5))
		_, members := EventMembers{Total: s.Total, By: []string{"route"}}.Groups(t.Context(), c.q, at(5), at(5))
		for _, got := range []error{err, live, newest, members} {
			if !errors.Is(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

// A deployment that runs for hours moves to where it ended, which is read again for as long.
func TestHowFarBackEachSourceMayChange(t *testing.T) {
	deploys := &EventRatio{Total: &EventQuery{Signal: Deploys}}
	for _, c := range []struct {
		src  Source
		want time.Duration
	}{
		{&Ratio{}, 10 * time.Minute},
		{&Values{}, 10 * time.Minute},
		{&EventRatio{Total: &EventQuery{Signal: Spans}}, 10 * time.Minute},
		{deploys, 6 * time.Hour},
		{&Slices{Slice: time.Minute}, 10 * time.Minute},
		{&Slices{Slice: time.Hour}, 2 * time.Hour},
		{&AtPeak{Source: deploys}, 6 * time.Hour},
	} {
		if got := c.src.Reread(); got != c.want {
			t.Errorf("%T: %s, want %s", c.src, got, c.want)
		}
	}
}
