package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// firings collects the times at which alerts fire, by their labels.
type firings struct {
	open map[string]int // index in list, by identity
	list []Alert
}

func identity(ls model.Labels) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(ls)) {
		b.WriteString(k + "\xff" + ls[k] + "\xff")
	}
	return b.String()
}

func (f *firings) begin(ls model.Labels, at time.Time) {
	id := identity(ls)
	if _, fires := f.open[id]; fires {
		return
	}
	if f.open == nil {
		f.open = map[string]int{}
	}
	f.open[id] = len(f.list)
	f.list = append(f.list, Alert{
		Name: ls["alertname"], SLO: ls.Own("slo"), Service: ls.Own("service"), Severity: ls.Own("severity"),
		Labels: ls, Receivers: []string{}, Start: at.UTC(),
	})
}

func (f *firings) finish(ls model.Labels, at time.Time) {
	id := identity(ls)
	if i, fires := f.open[id]; fires {
		end := at.UTC()
		f.list[i].End = &end
		delete(f.open, id)
	}
}

// closed are all firings, with how long they lasted until end.
func (f *firings) closed(end time.Time) []Alert {
	for i := range f.list {
		f.list[i].Seconds = until(f.list[i].End, end).Sub(f.list[i].Start).Seconds()
	}
	return f.list
}

func until(t *time.Time, end time.Time) time.Time {
	if t == nil {
		return end
	}
	return *t
}

func orderAlerts(a, b Alert) int {
	return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Name, b.Name), strings.Compare(identity(a.Labels), identity(b.Labels)))
}

// pages turns alerts, sorted by start, into notifications: alerts of one
// receiver, group and severity whose times touch are one. It notes each alert's
// receivers.
func pages(alerts []Alert, route func(model.Labels) []notify.Destination, end time.Time) []Page {
	out := []Page{}
	last := map[string]int{}
	for i := range alerts {
		a := &alerts[i]
		for _, d := range route(a.Labels) {
			if !slices.Contains(a.Receivers, d.Receiver) {
				a.Receivers = append(a.Receivers, d.Receiver)
			}
			key := d.Receiver + "\xff" + a.Severity + "\xff" + identity(d.Group)
			k, seen := last[key]
			if !seen || until(out[k].End, end).Before(a.Start) {
				last[key] = len(out)
				out = append(out, Page{Receiver: d.Receiver, Severity: a.Severity, Group: d.Group, Alerts: []string{a.Name}, Start: a.Start, End: a.End})
				continue
			}
			join(&out[k], a)
		}
	}
	for i := range out {
		out[i].Seconds = until(out[i].End, end).Sub(out[i].Start).Seconds()
	}
	return out
}

func join(p *Page, a *Alert) {
	if !slices.Contains(p.Alerts, a.Name) {
		p.Alerts = append(p.Alerts, a.Name)
	}
	if a.End == nil || p.End != nil && a.End.After(*p.End) {
		p.End = a.End
	}
}

// paging tells what wakes somebody from what can wait.
func paging(p Page) bool { return model.Wakes(p.Severity) }
