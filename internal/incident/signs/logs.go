package signs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// slots is how many parts of the window lines are taken from, and ofSlot how many from each.
	slots, ofSlot = 5, 1000
	// maxCandidates bounds the patterns of a service that are counted.
	maxCandidates = 12
	// minNew is how often something new must be said, minMany something that was said before, and times how much more often.
	minNew, minMany, times = 3, 20, 10.0
	// logLead is how long before the start lines are looked at.
	logLead = 5 * time.Minute
	// maxPhrases bounds what a pattern is found by.
	maxPhrases = 6
)

// logs are the lines of one service that are new, or came many times as often.
func (f Finder) logs(ctx context.Context, w window, out *Found) ([]Sign, error) {
	if f.Logs == nil {
		return nil, nil
	}
	of := store.Compare{Field: "service", Op: store.OpEq, Value: w.service}
	from, day := w.start.Add(-logLead), w.start.Add(-history)
	lines, err := f.sample(ctx, of, from, w.end)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	known, err := f.count(ctx, of, day, from)
	if err != nil {
		return nil, err
	}
	if known == 0 {
		out.miss("lines of %s: there are none of the day before to compare with", w.service)
		return nil, nil
	}
	list := patternsOf(lines)
	if len(list) > maxCandidates {
		out.miss("%d patterns of lines of %s beyond the %d most severe", len(list)-maxCandidates, w.service, maxCandidates)
		list = list[:maxCandidates]
	}
	var signs []Sign
	for _, p := range list {
		sign, err := f.novel(ctx, w, p)
		if err != nil {
			return signs, err
		}
		if sign != nil {
			signs = append(signs, *sign)
		}
	}
	return signs, nil
}

// sample takes lines from all over the window.
func (f Finder) sample(ctx context.Context, of store.Expr, from, to time.Time) ([]model.LogRecord, error) {
	var out []model.LogRecord
	length := to.Sub(from) / slots
	for i := range slots {
		at := from.Add(time.Duration(i) * length)
		for r, err := range f.Logs.Logs(ctx, store.LogQuery{Range: store.RangeOf(at, at.Add(length)), Expr: of, Limit: ofSlot}) {
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// count is how many lines there are.
func (f Finder) count(ctx context.Context, what store.Expr, from, to time.Time) (uint64, error) {
	h, err := f.Logs.LogHistogram(ctx, store.LogQuery{Range: store.RangeOf(from, to), Expr: what}, history, "")
	n := uint64(0)
	for _, s := range h.Series {
		for _, c := range s.Counts {
			n += c
		}
	}
	return n, err
}

// novel says whether lines of a pattern are new or came many times as often; nil where they are as ever.
func (f Finder) novel(ctx context.Context, w window, p *pattern) (*Sign, error) {
	and := store.And{Exprs: []store.Expr{store.Compare{Field: "service", Op: store.OpEq, Value: w.service}}}
	query := "service:" + strconv.Quote(w.service)
	phrases := p.phrases()
	for _, s := range phrases[:min(len(phrases), maxPhrases)] {
		and.Exprs = append(and.Exprs, store.Text{Phrase: s})
		query += " " + strconv.Quote(s)
	}
	from, day := w.start.Add(-logLead), w.start.Add(-history)
	before, err := f.count(ctx, and, day, from)
	if err != nil {
		return nil, err
	}
	minutes, err := f.Logs.LogHistogram(ctx, store.LogQuery{Range: store.RangeOf(from, w.end), Expr: and}, time.Minute, "")
	if err != nil {
		return nil, err
	}
	usual := float64(before) / from.Sub(day).Minutes()
	since, n := onset(minutes, usual)
	more := float64(n) / w.end.Sub(from).Minutes() / max(usual, 1e-9)
	s := &Sign{Time: since, Kind: Log, Service: w.service, Name: p.String(), Query: query, Score: float64(p.level)*10 + min(float64(n), 1000)/1000}
	said := show(p.String())
	switch {
	case before == 0 && n >= minNew:
		s.Text = fmt.Sprintf("%s says for the first time in a day: %s (%d lines)", w.service, said, n)
		s.Score += 5
	case n >= minMany && more >= times:
		s.Text = fmt.Sprintf("%s says %.0f times as often as in the day before: %s (%d lines)", w.service, more, said, n)
	default:
		return nil, nil //nolint:nilnil // said above
	}
	return s, nil
}

// onset is the first minute that has more than is usual, and how many lines there are in all.
func onset(h store.Histogram, usual float64) (since time.Time, n uint64) {
	var counts []uint64
	for _, s := range h.Series {
		for i, c := range s.Counts {
			if i == len(counts) {
				counts = append(counts, 0)
			}
			counts[i] += c
			n += c
		}
	}
	for i, c := range counts {
		if c > 0 && float64(c) >= 3*usual {
			return time.Unix(0, h.Start+int64(i)*h.Step).UTC(), n
		}
	}
	return time.Unix(0, h.Start).UTC(), n
}

func show(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
