package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// maxRead bounds how many incidents one question reads.
	maxRead = 20_000
	readAt  = 200
	// maxReads bounds how often one page of a list is filled up; its cursor then goes on.
	maxReads = 200
	// maxSimilar bounds how many similar ones are named.
	maxSimilar = 5
)

// Query selects incidents. Before is the cursor that the page before answered.
type Query struct {
	Status     Status
	Service    string
	Severity   string
	Text       string // in title, summary, notes, services, alerts and postmortem
	Start, End time.Time
	Before     string
	Limit      int
}

func (q Query) takes(i Incident) bool {
	return (q.Service == "" || slices.Contains(i.Services, q.Service)) && (q.Severity == "" || i.Severity == q.Severity) && holds(i, q.Text)
}

// holds says whether an incident has each word somewhere.
func holds(i Incident, text string) bool {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return true
	}
	all := []string{i.ID, i.Title, i.Summary, i.Environment, i.Region, i.Postmortem.Summary, i.Postmortem.Impact, i.Postmortem.RootCause, i.Postmortem.Resolution, i.Postmortem.Lessons}
	all = append(append(all, i.Services...), i.Postmortem.Whys...)
	for _, n := range i.Notes {
		all = append(all, n.Text)
	}
	for _, p := range i.Pages.List {
		all = append(append(all, p.Title), p.Names...)
	}
	for _, t := range i.Actions {
		all = append(all, t.Text)
	}
	where := strings.ToLower(strings.Join(all, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(where, w) })
}

// List answers a page of incidents, the newest first, and the cursor of the next, "" at the end.
func (r *Room) List(ctx context.Context, q Query) (out []Incident, next string, err error) {
	out = []Incident{}
	limit, read := q.Limit, 0
	for len(out) < limit {
		// No more is read than is missing, so that the cursor is that of the answer.
		q.Limit = limit - len(out)
		if next, err = r.once(ctx, q, func(i Incident) { out = append(out, i) }); err != nil || next == "" {
			return out, "", err
		}
		if q.Before, read = next, read+1; read == maxReads {
			break
		}
	}
	return out, next, nil
}

// once reads one page of documents.
func (r *Room) once(ctx context.Context, q Query, f func(Incident)) (next string, err error) {
	scope := access.ScopeFor(ctx, access.IncidentsRead)
	if scope.None() {
		return "", nil
	}
	docs, next, err := r.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kind, Status: string(q.Status), Start: q.Start, End: q.End, Before: q.Before, Limit: q.Limit})
	if err != nil {
		return "", err
	}
	for _, d := range docs {
		k, err := decode(d)
		if err != nil {
			r.log.ErrorContext(ctx, "an incident cannot be read and is left out", "err", err)
			continue
		}
		if visible(scope, k.Incident) && q.takes(k.Incident) {
			f(k.Incident)
		}
	}
	return next, nil
}

// Incident is one.
func (r *Room) Incident(ctx context.Context, id string) (Incident, error) {
	k, err := r.load(ctx, id)
	if err != nil {
		return Incident{}, err
	}
	return k.Incident, nil
}

// Similar is a past incident, and what it has in common with another.
type Similar struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Time     time.Time `json:"time"`
	Severity string    `json:"severity"`
	Score    float64   `json:"score" doc:"share of what either has that both have, 0 to 1"`
	Common   []string  `json:"common"`
	Cause    string    `json:"root_cause,omitempty"`
}

// Similar are the past incidents that are most like one.
func (r *Room) Similar(ctx context.Context, of Incident) ([]Similar, error) {
	mine, out := traits(of), []Similar{}
	_, err := r.every(ctx, Query{}, func(i Incident) {
		if i.ID == of.ID || i.Status == Merged {
			return
		}
		s := Similar{ID: i.ID, Title: i.Title, Time: i.Times.Detected, Severity: i.Severity, Cause: i.Postmortem.RootCause, Common: []string{}}
		theirs := traits(i)
		both, either := 0.0, 0.0
		for t, w := range mine {
			if either += w; theirs[t] > 0 {
				both += w
				s.Common = append(s.Common, t)
			}
		}
		for t, w := range theirs {
			if mine[t] == 0 {
				either += w
			}
		}
		if either > 0 {
			s.Score = both / either
		}
		if slices.Sort(s.Common); s.Score >= 0.2 {
			out = append(out, s)
		}
	})
	slices.SortStableFunc(out, func(a, b Similar) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(len(out), maxSimilar)], err
}

// traits are what an incident is like, with their weights.
func traits(i Incident) map[string]float64 {
	out := map[string]float64{}
	for _, s := range i.Services {
		out["service "+s] = 2
	}
	for _, p := range i.Pages.List {
		for _, n := range p.Names {
			out["alert "+n] = 2
		}
	}
	if i.Environment != "" {
		out["environment "+i.Environment] = 0.5
	}
	for _, w := range strings.FieldsFunc(strings.ToLower(i.Title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) > 3 {
			out["word "+w] = 0.5
		}
	}
	return out
}

// every calls with all incidents that the caller sees and a query selects, as far as one question reads.
func (r *Room) every(ctx context.Context, q Query, f func(Incident)) (whole bool, err error) {
	q.Limit = readAt
	for range maxRead / readAt {
		next, err := r.once(ctx, q, f)
		if err != nil || next == "" {
			return true, err
		}
		q.Before = next
	}
	return false, nil
}

// Figures are how quickly incidents were noticed, taken and ended.
type Figures struct {
	Service     string `json:"service,omitempty" doc:"absent for all together"`
	Incidents   int    `json:"incidents"`
	Detect      *Mean  `json:"mttd,omitempty" doc:"from the start to the first page: mean time to detect"`
	Acknowledge *Mean  `json:"mtta,omitempty" doc:"from the first page to the first acknowledgement"`
	Recover     *Mean  `json:"mttr,omitempty" doc:"from the start until users did not feel it any more: mean time to recover. Paperwork until it is resolved does not count"`
	Unknown     int    `json:"unrecovered" doc:"those that are open: they are in no mttr yet"`
	Unacked     int    `json:"unacknowledged" doc:"those that nobody acknowledged: they are in no mtta"`
}

// Mean is a mean in seconds with what it was made of.
type Mean struct {
	Seconds float64 `json:"seconds"`
	Median  float64 `json:"median_seconds"`
	Of      int     `json:"of" doc:"incidents that it is the mean of"`
}

// Period is the figures of a time.
type Period struct {
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	All      Figures   `json:"all"`
	Services []Figures `json:"services" doc:"by name"`
}

// Figures are those of periods of so many days each, the newest last, that end now.
func (r *Room) Figures(ctx context.Context, days, periods int, service string) ([]Period, error) {
	now := r.deps.Now().UTC()
	length := time.Duration(days) * 24 * time.Hour
	out := make([]Period, periods)
	sums := make([]map[string]*sum, periods)
	for i := range out {
		out[i].End = now.Add(-length * time.Duration(periods-1-i))
		out[i].Start, sums[i] = out[i].End.Add(-length), map[string]*sum{}
	}
	whole, err := r.every(ctx, Query{Service: service, Start: out[0].Start, End: now.Add(time.Nanosecond)}, func(i Incident) {
		if i.Status == Merged {
			return
		}
		p := min(max(periods-1-int(now.Sub(i.Times.Detected)/length), 0), periods-1)
		for _, s := range append([]string{""}, i.Services...) {
			if service != "" && s != "" && s != service {
				continue
			}
			if sums[p][s] == nil {
				sums[p][s] = &sum{}
			}
			sums[p][s].add(i)
		}
	})
	if err == nil && !whole {
		err = refuse("more than %d incidents: ask for a shorter time", maxRead)
	}
	for i := range out {
		out[i].All, out[i].Services = sums[i][""].figures(""), []Figures{}
		for s, one := range sums[i] {
			if s != "" {
				out[i].Services = append(out[i].Services, one.figures(s))
			}
		}
		slices.SortFunc(out[i].Services, func(a, b Figures) int { return strings.Compare(a.Service, b.Service) })
	}
	return out, err
}

type sum struct {
	n, open                int
	detect, ack, recovered []float64
}

func (s *sum) add(i Incident) {
	s.n++
	t := i.Times
	if i.Origin.Page != "" || i.Origin.StartedSaid { // otherwise it started when somebody opened it, which says nothing
		s.detect = append(s.detect, max(0, t.Detected.Sub(t.Started).Seconds()))
	}
	if t.Acknowledged != nil {
		s.ack = append(s.ack, max(0, t.Acknowledged.Sub(t.Detected).Seconds()))
	}
	if t.Mitigated == nil {
		s.open++
		return
	}
	s.recovered = append(s.recovered, max(0, t.Mitigated.Sub(t.Started).Seconds()))
}

func (s *sum) figures(service string) Figures {
	if s == nil {
		return Figures{Service: service}
	}
	return Figures{
		Service: service, Incidents: s.n, Unknown: s.open, Unacked: s.n - len(s.ack),
		Detect: mean(s.detect), Acknowledge: mean(s.ack), Recover: mean(s.recovered),
	}
}

func mean(all []float64) *Mean {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	total := 0.0
	for _, v := range all {
		total += v
	}
	n := len(all)
	return &Mean{Seconds: total / float64(n), Median: (all[(n-1)/2] + all[n/2]) / 2, Of: n}
}

// Summarize says in one sentence how incidents stand.
func Summarize(list []Incident) string {
	open, mitigated := 0, 0
	for _, i := range list {
		switch i.Status {
		case Open:
			open++
		case Mitigated:
			mitigated++
		}
	}
	switch {
	case open+mitigated == 0:
		return "No incident is open."
	case mitigated == 0:
		return fmt.Sprintf("%d open.", open)
	}
	return fmt.Sprintf("%d open, %d mitigated.", open, mitigated)
}
