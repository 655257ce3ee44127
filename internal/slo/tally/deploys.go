package tally

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Bounds of deployments.
const (
	longestRollout = 24 * time.Hour // between a record's time and its end
	maxDeploys     = 50_000         // in what one SLO looks at
)

// deployCache is the deployments since a time. They are few and change seldom.
type deployCache struct {
	from time.Time
	list []model.Deploy // nil: to be read
	mark uint64         // of writes
}

// AddDeploy stores a deployment and has those who count them look again.
func (t *Tally) AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error) {
	d, err := t.deps.Deploys.AddDeploy(ctx, d)
	if err != nil {
		return d, err
	}
	t.mu.Lock()
	t.deploys.list = nil
	t.deploys.mark++
	t.mu.Unlock()
	at := newMinutes(3)
	for _, one := range []time.Time{d.Time, d.Started, d.Finished} {
		if !one.IsZero() {
			at.add(one.UnixNano())
		}
	}
	t.changed(indicator.Deploys, at.list)
	return d, nil
}

// Deploys lists deployments as the store does.
func (t *Tally) Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) {
	return t.deps.Deploys.Deploys(ctx, q)
}

func (t *Tally) countDeploys(ctx context.Context, q *indicator.EventQuery, from, to time.Time) ([]uint64, error) {
	list, err := t.deploysSince(ctx, from.Add(-longestRollout))
	if err != nil {
		return nil, fmt.Errorf("count deploys %s: %w", q.Text, err)
	}
	out := make([]uint64, int(to.Sub(from)/time.Minute))
	match, now := store.NewMatcher(q.Expr), t.deps.Now()
	for i := range list {
		at := list[i].Ended()
		if k := int(at.Sub(from) / time.Minute); !at.Before(from) && k < len(out) && match.Log(recordOf(&list[i], now)) {
			out[k]++
		}
	}
	return out, nil
}

func (t *Tally) deploysSince(ctx context.Context, from time.Time) ([]model.Deploy, error) {
	t.mu.Lock()
	c := t.deploys
	t.mu.Unlock()
	if c.list != nil && !from.Before(c.from) {
		return c.list, nil
	}
	if !c.from.IsZero() && c.from.Before(from) {
		from = c.from
	}
	from = from.Truncate(24 * time.Hour)
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	list, err := t.deps.Deploys.Deploys(ctx, store.DeployQuery{Start: from, Limit: maxDeploys + 1})
	if err == nil && len(list) > maxDeploys {
		err = fmt.Errorf("there are more than %d since %s", maxDeploys, from.Format(time.DateOnly))
	}
	if t.note(indicator.Deploys, err) != nil {
		return nil, err
	}
	if list == nil {
		list = []model.Deploy{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deploys.mark == c.mark { // nobody wrote meanwhile
		t.deploys.from, t.deploys.list = from, list
	}
	return list, nil
}

// recordOf is a deployment as the filter language looks at it: its fields, its
// labels, and duration, of one under way as long as it has taken so far.
func recordOf(d *model.Deploy, now time.Time) *model.LogRecord {
	var attrs model.Attrs
	for k, v := range d.Labels {
		attrs = append(attrs, model.Attr{Key: k, Value: model.StringValue(v)})
	}
	attrs = append(attrs,
		model.Attr{Key: "kind", Value: model.StringValue(d.Kind)}, model.Attr{Key: "status", Value: model.StringValue(d.Status)},
		model.Attr{Key: "actor", Value: model.StringValue(d.Actor)}, model.Attr{Key: "link", Value: model.StringValue(d.Link)})
	took, known := d.Took()
	if d.Status == "started" && !d.Started.IsZero() {
		took, known = now.Sub(d.Started), true
	}
	if known {
		attrs = append(attrs, model.Attr{Key: "duration", Value: model.IntValue(int64(took))})
	}
	return &model.LogRecord{
		Time: d.Ended().UnixNano(), Message: d.Message, Attrs: attrs,
		Resource: &model.Resource{Service: d.Service, Env: d.Environment, Region: d.Region, Version: d.Version},
	}
}
