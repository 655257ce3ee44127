package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	// lookBack is for how long a service counts as seen after its last sample; blocks of the store are looked at whole.
	lookBack = 24 * time.Hour
	// lookEvery is how often telemetry is looked at.
	lookEvery = time.Minute
	// maxSeen bounds the services of a snapshot.
	maxSeen = 20_000
)

// spot is a service of telemetry and its namespace.
type spot struct{ service, namespace string }

// snapshot is what telemetry said at one moment. It is not changed any more.
type snapshot struct {
	at   time.Time
	team map[spot]string // of each service; "" where telemetry names none, or several
}

// namespaces of a service, sorted; "" where it names none.
func (s *snapshot) namespaces(service string) (out []string) {
	for at := range s.team {
		if at.service == service {
			out = append(out, at.namespace)
		}
	}
	slices.Sort(out)
	return out
}

// teamLabels are the resource attributes, as labels, that say whose a service is. target_info has all of them.
func teamLabels() []string { return []string{"team", "service_team"} }

// Run looks at telemetry until ctx is done.
func (r *Room) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("telemetry cannot be looked at for services: what it said before counts", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// fresh looks again where the last look is too old for who waits for the answer.
func (r *Room) fresh(ctx context.Context) error {
	if s := r.seen.Load(); s != nil && r.now().Sub(s.at) < lookEvery/4 {
		return nil
	}
	return r.Look(ctx)
}

// Look replaces the snapshot of telemetry.
func (r *Room) Look(ctx context.Context) (err error) {
	now := r.now()
	q, err := r.deps.Series.Querier(now.Add(-lookBack).UnixMilli(), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("look at telemetry: %w", err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	next := &snapshot{at: now, team: map[spot]string{}}
	// What rules, SLOs and the program itself write names services that may have sent nothing.
	for _, name := range []*labels.Matcher{
		labels.MustNewMatcher(labels.MatchNotRegexp, "__name__", "ALERTS.*|signalbox_.*|.*:.*"),
		labels.MustNewMatcher(labels.MatchEqual, "__name__", model.MetricSpanDuration+"_count"),
	} {
		if err := next.read(access.Whole(ctx), q, name); err != nil {
			return fmt.Errorf("look at telemetry: %w", err)
		}
	}
	for at := range next.team {
		if at.namespace == "" && len(next.namespaces(at.service)) > 1 {
			delete(next.team, at) // another series of it does not say where it runs
		}
	}
	r.seen.Store(next)
	return nil
}

// read adds what series say whose name fits.
func (s *snapshot) read(ctx context.Context, q storage.Querier, name *labels.Matcher) error {
	values := func(label string, ms ...*labels.Matcher) ([]string, error) {
		out, _, err := q.LabelValues(ctx, label, nil, append(ms, name)...)
		return out, err
	}
	some := labels.MustNewMatcher(labels.MatchNotEqual, "service", "")
	spaces, err := values(access.NamespaceLabel, some)
	if err != nil {
		return err
	}
	for _, space := range append(spaces, "") {
		in := labels.MustNewMatcher(labels.MatchEqual, access.NamespaceLabel, space)
		services, err := values("service", some, in)
		if err != nil {
			return err
		}
		teams := map[string]map[string]bool{}
		for _, label := range teamLabels() {
			if err := teamsOf(teams, label, in, values); err != nil {
				return err
			}
		}
		for _, service := range services {
			at := spot{service, space}
			if _, known := s.team[at]; !known && len(s.team) >= maxSeen {
				continue
			}
			if of := slices.Collect(maps.Keys(teams[service])); len(of) == 1 {
				s.team[at] = of[0]
			} else if s.team[at] == "" {
				s.team[at] = ""
			}
		}
	}
	return nil
}

// teamsOf adds the teams that a label names, by service.
func teamsOf(teams map[string]map[string]bool, label string, in *labels.Matcher, values func(string, ...*labels.Matcher) ([]string, error)) error {
	named, err := values(label, labels.MustNewMatcher(labels.MatchNotEqual, "service", ""), in)
	if err != nil {
		return err
	}
	for _, team := range named {
		services, err := values("service", in, labels.MustNewMatcher(labels.MatchEqual, label, team))
		if err != nil {
			return err
		}
		for _, service := range services {
			if teams[service] == nil {
				teams[service] = map[string]bool{}
			}
			teams[service][team] = true
		}
	}
	return nil
}
