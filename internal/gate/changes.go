package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	maxChanges = 20
	// causeWindow is the shortest window that a burn is judged over: so long after
	// its cause is gone it is still seen.
	causeWindow = 5 * time.Minute
)

// Changes knows deployment markers; store/state does.
type Changes interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// Causes names what made a service fail; diagnose.Diagnoser does.
type Causes interface {
	Cause(ctx context.Context, s cause.Symptom) (model.Cause, error)
}

// why reads what most likely made the service's SLOs burn, and the markers
// around that time, the newest first; nothing while nothing burns.
func (g *Gate) why(ctx context.Context, in *Input) error {
	since, ok := burningSince(in.SLOs)
	if !ok {
		return nil
	}
	if g.deps.Causes != nil {
		c, err := g.deps.Causes.Cause(ctx, cause.Symptom{
			Service: in.Request.Service, Environment: in.Request.Environment, Since: since, At: in.Time, Window: causeWindow,
		})
		if err != nil {
			return err
		}
		in.Cause = &c
	}
	if g.deps.Changes == nil {
		return nil
	}
	var err error
	in.Changes, err = g.changes(ctx, *in, since)
	return err
}

func (g *Gate) changes(ctx context.Context, in Input, since time.Time) ([]model.Deploy, error) {
	found, err := g.deps.Changes.Deploys(ctx, store.DeployQuery{
		Service: in.Request.Service, Start: since.Add(-cause.Within), End: since.Add(cause.Slack), Limit: maxChanges,
	})
	if err != nil {
		return nil, err
	}
	// A rollback mends; of another environment nothing is asked; and what was undone or
	// takes no traffic is not what fails now.
	found = slices.DeleteFunc(found, func(d model.Deploy) bool {
		other := in.Request.Environment != "" && d.Environment != "" && d.Environment != in.Request.Environment
		return other || cause.Mends(&d) || in.Cause != nil && slices.ContainsFunc(in.Cause.RuledOut, func(r model.RuledOut) bool {
			return r.Change.Version == d.Version && r.Change.Time.Equal(d.Time)
		})
	})
	slices.SortStableFunc(found, func(a, b model.Deploy) int { return b.Time.Compare(a.Time) })
	return found, nil
}

// burningSince is when the first of the SLOs that burn began to.
func burningSince(slos []model.SLOSnapshot) (since time.Time, ok bool) {
	for _, p := range slos {
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

// likelyCause names an upstream that fails or else the newest change in a
// sentence; "" where there is none.
func likelyCause(in Input) string {
	if c := in.Cause; c != nil && c.Kind == model.CauseUpstream {
		return "Likely cause: " + strings.TrimPrefix(c.Text, ", because ") + "."
	}
	if len(in.Changes) == 0 {
		return ""
	}
	c := in.Changes[0]
	text := fmt.Sprintf("Likely cause: %s %s of %s at %s", cmp.Or(c.Kind, "deploy"), c.Version, c.Service, c.Time.UTC().Format("15:04 MST"))
	if since, ok := burningSince(in.SLOs); ok && since.After(c.Time) {
		text += ", " + human.Duration(since.Sub(c.Time)) + " before the burn was seen"
	}
	if c.Message != "" {
		text += " (" + strings.TrimSuffix(c.Message, ".") + ")"
	}
	return text + "."
}
