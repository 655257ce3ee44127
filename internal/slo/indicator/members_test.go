package indicator

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// routes answers one series for each route, of which /old ended half an hour after midnight.
type routes struct{ err error }

func (r routes) Instant(_ context.Context, expr string, t time.Time) ([]model.Sample, error) {
	if r.err != nil || expr != "by route" {
		return nil, r.err
	}
	return []model.Sample{{Labels: model.Labels{"route": "/new"}, Time: t, Value: 1}}, nil
}

func (r routes) Range(_ context.Context, _ string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	old, young := model.Series{Labels: model.Labels{"route": "/old"}}, model.Series{Labels: model.Labels{"route": "/new"}}
	for t := start; !t.After(end); t = t.Add(step) {
		young.Points = append(young.Points, model.Point{Time: t, Value: 1})
		if !t.After(at(30)) {
			old.Points = append(old.Points, model.Point{Time: t, Value: 1})
		}
	}
	return []model.Series{old, young, {Labels: model.Labels{"route": "/never"}}}, r.err
}

func lastByRoute(members []Member) map[string]time.Time {
	out := map[string]time.Time{}
	for _, m := range members {
		out[m.Labels["route"]] = m.Last
	}
	return out
}

func TestGroupsOfSeriesAndWhenEachWasSeenLast(t *testing.T) {
	m := SeriesMembers{Expr: "by route"}
	now, err := m.Groups(t.Context(), routes{}, at(60), at(60))
	if want := map[string]time.Time{"/new": at(60)}; err != nil || !maps.Equal(lastByRoute(now), want) {
		t.Errorf("now: %v %v, want %v", now, err, want)
	}
	hour, err := m.Groups(t.Context(), routes{}, midnight, at(60))
	if want := map[string]time.Time{"/new": at(60), "/old": at(30)}; err != nil || !maps.Equal(lastByRoute(hour), want) {
		t.Errorf("in an hour: %v %v, want %v", hour, err, want)
	}
	broken := errors.New("the store is closed")
	for _, from := range []time.Time{midnight, at(60)} {
		if _, err := m.Groups(t.Context(), routes{broken}, from, at(60)); !errors.Is(err, broken) {
			t.Errorf("from %s: %v", from, err)
		}
	}
}

// A method belongs to a route only where events have both.
func TestGroupsOfEventsAreTheSetsOfValuesThatEventsHave(t *testing.T) {
	on := func(minutes float64, service, route, method string) event {
		return event{at(minutes), map[string]string{"service": service, "route": route, "method": method}}
	}
	r := &room{events: []event{
		on(60, "a", "/x", "GET"), on(100, "a", "/y", "GET"), on(110, "a", "/y", "POST"), on(110, "b", "/z", "GET"), on(115, "a", "/x", "GET"),
	}}
	m := EventMembers{Total: compare("service", "a"), By: []string{"route", "method"}}
	type group struct{ route, method string }
	groups := func(from, to float64) map[group]time.Time {
		t.Helper()
		out := map[group]time.Time{}
		members, err := m.Groups(t.Context(), r, at(from), at(to))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range members {
			key := group{one.Labels["route"], one.Labels["method"]}
			if len(one.Labels) != 2 {
				t.Errorf("labels %v", one.Labels)
			}
			if one.Last.After(out[key]) {
				out[key] = one.Last
			}
		}
		return out
	}
	// Who asks what is there now is told of the last quarter of an hour.
	if got, want := groups(119.5, 119.5), (map[group]time.Time{{"/y", "POST"}: at(120), {"/x", "GET"}: at(120)}); !maps.Equal(got, want) {
		t.Errorf("now: %v, want %v", got, want)
	}
	// Of two hours: those of the last quarter, and of the others that they were there before it.
	want := map[group]time.Time{{"/x", "GET"}: at(120), {"/y", "GET"}: at(105), {"/y", "POST"}: at(120)}
	if got := groups(0, 120); !maps.Equal(got, want) {
		t.Errorf("in two hours: %v, want %v", got, want)
	}
	if got := groups(0, 50); len(got) != 0 {
		t.Errorf("before any event: %v", got)
	}
	if m.Total.Text != "service:a" || m.Identity() != "spans service:a by route,method" {
		t.Errorf("asking changed what is asked: %q", m.Identity())
	}
}
