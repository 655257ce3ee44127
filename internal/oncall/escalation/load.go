package escalation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/store"
)

// recordsAtOnce is how many records are read at a time.
const recordsAtOnce = 500

// Paged says who was paged when, in a span of time: each person once a page, at the first message that was handed over. Drills
// and notices are no pages. Records are kept for 180 days after the end of their pages.
func (e *Engine) Paged(ctx context.Context, from, to time.Time) (out []oncall.Paged, _ error) {
	// A record's time is never before the page began, so that what is older than the span cannot be of it.
	q := store.DocumentQuery{Kind: kind, Start: from, Limit: recordsAtOnce}
	for {
		docs, next, err := e.deps.Documents.Documents(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			var rec Record
			if err := json.Unmarshal(d.Body, &rec); err != nil {
				e.log.Error("the record of an escalation is damaged and does not count", "page", d.ID, "err", err)
				continue
			}
			for _, p := range rec.paged() {
				if !p.At.Before(from) && p.At.Before(to) {
					out = append(out, p)
				}
			}
		}
		if next == "" {
			return out, nil
		}
		q.Before = next
	}
}

// paged are the people whom a page reached.
func (r *Record) paged() (out []oncall.Paged) {
	if r.Drill != nil {
		return nil
	}
	told := map[string]bool{}
	for _, t := range r.Tries {
		if t.Kind != notify.Paged || t.Person == "" || told[t.Person] || t.State != delivered && t.State != summarized {
			continue
		}
		told[t.Person] = true
		out = append(out, oncall.Paged{Page: r.Page, Person: t.Person, At: t.At, ByItself: r.State == Resolved && r.Heard == ""})
	}
	return out
}
