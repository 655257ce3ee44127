package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// causeWithin is how long before a burn began a change may be to count as its
	// likely cause. A pool takes a while to run empty.
	causeWithin = time.Hour
	// causeSlack is how much later than the burn a marker may be: pipelines mark
	// what they did when they are done.
	causeSlack = 2 * time.Minute
	maxChanges = 20
)

// Changes knows deployment markers; store/state does.
type Changes interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// changes are the service's markers around the time since when its promises
// burn, the newest first; none while nothing burns.
func (g *Gate) changes(ctx context.Context, in Input) ([]model.Deploy, error) {
	since, ok := burningSince(in.Promises)
	if !ok {
		return nil, nil
	}
	found, err := g.deps.Changes.Deploys(ctx, store.DeployQuery{
		Service: in.Request.Service, Start: since.Add(-causeWithin), End: since.Add(causeSlack), Limit: maxChanges,
	})
	if err != nil {
		return nil, err
	}
	// A rollback mends; of another environment nothing is asked.
	found = slices.DeleteFunc(found, func(d model.Deploy) bool {
		other := in.Request.Environment != "" && d.Environment != "" && d.Environment != in.Request.Environment
		return other || d.Kind == "rollback" || d.Kind == "remediation"
	})
	slices.SortStableFunc(found, func(a, b model.Deploy) int { return b.Time.Compare(a.Time) })
	return found, nil
}

// burningSince is when the first of the promises that burn began to.
func burningSince(promises []model.SLOSnapshot) (since time.Time, ok bool) {
	for _, p := range promises {
		st := p.Status
		if st.Since == nil || st.State != model.SLOBurning && st.State != model.SLOExhausted {
			continue
		}
		if !ok || st.Since.Before(since) {
			since, ok = *st.Since, true
		}
	}
	return since, ok
}

// likelyCause names the newest change in a sentence; "" where there is none.
func likelyCause(in Input) string {
	if len(in.Changes) == 0 {
		return ""
	}
	c := in.Changes[0]
	text := fmt.Sprintf("Likely cause: %s %s of %s at %s", orElse(c.Kind, "deploy"), c.Version, c.Service, c.Time.UTC().Format("15:04 MST"))
	if since, ok := burningSince(in.Promises); ok && since.After(c.Time) {
		text += ", " + human.Duration(since.Sub(c.Time)) + " before the burn was seen"
	}
	if c.Message != "" {
		text += " (" + strings.TrimSuffix(c.Message, ".") + ")"
	}
	return text + "."
}
