// Package backtest replays SLOs, alert rules and gate policies over stored
// history: how often somebody would have been paged, when and for how long,
// what would have been left of each budget, and what the gate would have said
// to each deployment.
//
// It sends nothing and writes nothing. It has no arithmetic of its own: SLOs are judged by
// slo.Replay, alert rules by Prometheus' own rule evaluation, deployments by gate.Decide and
// destinations by the routing tree in force; this room feeds them history, step by
// step, and counts.
//
// In: Request, documents as text, and PromQL answers. Out: Job with
// progress and, when done, a Result. The same request over the same history gives the same
// result.
//
// Invariants: one job runs at a time, on part of the cores; a request that is too large is
// refused before anything is read; what the figures leave out is said in Notes. Replayer.mu guards
// the jobs and is never held during a query.
//
// Start reading at room.go, then run.go.
package backtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Bounds of a request.
const (
	maxSteps     = 10_000_000 // of all SLOs and rules together
	maxRange     = 400 * 24 * time.Hour
	maxDocuments = 1000
	maxAlerts    = 20_000 // kept in a result
	curvePoints  = 240
)

// badRequest marks a mistake of the caller's.
type badRequest struct{ error }

// BadRequest tells the API whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// plan is a request that was read and found feasible.
type plan struct {
	start, end time.Time
	step       time.Duration
	sets       []set // one or two
	notes      []string
}

// set is what one side replays.
type set struct {
	name      string
	slos      []*slo.Definition
	policies  gate.Set
	rules     []rule // that alert
	recording []rule
}

// plan reads every document and refuses what cannot be done.
func (r *Replayer) plan(req Request) (plan, error) {
	p := plan{start: req.Start.Truncate(time.Minute), end: req.End.Truncate(time.Minute), step: req.Step}
	if p.step == 0 {
		p.step = time.Minute
	}
	switch {
	case p.step < time.Minute || p.step%time.Minute != 0:
		return p, refuse("step: must be whole minutes, got %s", p.step)
	case p.end.After(r.deps.Now()):
		return p, refuse("end: %s lies in the future", p.end.Format(time.RFC3339))
	case p.end.Sub(p.start) < p.step:
		return p, refuse("start: must be at least one step of %s before end", p.step)
	case p.end.Sub(p.start) > maxRange:
		return p, refuse("start: %s are more than the %s that one backtest may span", p.end.Sub(p.start), budget.Window(maxRange))
	}
	first, err := r.read("A", req.Set, nil, &p)
	if err != nil {
		return p, err
	}
	p.sets = append(p.sets, first)
	if req.Compare != nil {
		second, err := r.read("B", *req.Compare, &first, &p)
		if err != nil {
			return p, err
		}
		p.sets = append(p.sets, second)
	}
	return p, p.bound()
}

func (p *plan) bound() error {
	steps, what := int(p.end.Sub(p.start)/p.step), 0
	for _, s := range p.sets {
		what += len(s.slos) + len(s.rules) + len(s.recording)
	}
	if what == 0 {
		return refuse("there is nothing to replay: name SLO files or rule files, or configure slo_files")
	}
	if steps*what > maxSteps {
		return refuse("%d steps of %d SLOs and rules are %d, more than the %d that one backtest may take: choose a step of at least %s, a shorter range or fewer documents",
			steps, what, steps*what, maxSteps, (p.end.Sub(p.start)*time.Duration(what)/maxSteps).Truncate(time.Minute)+time.Minute)
	}
	return nil
}

// read reads one side; what it leaves out is as in base or, without one, as in
// force.
func (r *Replayer) read(name string, docs Set, base *set, p *plan) (set, error) {
	s := set{name: name}
	if n := len(docs.SLOs) + len(docs.Policies) + len(docs.Rules); n > maxDocuments {
		return s, refuse("%d documents are more than the %d that one backtest may have", n, maxDocuments)
	}
	var err error
	switch {
	case len(docs.SLOs) > 0:
		s.slos, err = readSLOs(docs.SLOs)
	case base != nil:
		s.slos = base.slos
	case len(docs.Rules) == 0:
		s.slos = r.deps.SLOs.Definitions()
	}
	if err != nil {
		return s, err
	}
	switch {
	case len(docs.Policies) > 0:
		s.policies, err = r.readPolicies(docs.Policies)
	case base != nil:
		s.policies = base.policies
	default:
		s.policies = r.deps.Policies.Set()
	}
	if err != nil {
		return s, err
	}
	switch {
	case len(docs.Rules) > 0:
		s.rules, s.recording, err = r.readRules(docs.Rules)
	case base != nil:
		s.rules, s.recording = base.rules, base.recording
	}
	return s, err
}

func readSLOs(docs []Document) ([]*slo.Definition, error) {
	var all openslo.Documents
	var problems []openslo.Problem
	for _, doc := range docs {
		d, ps := openslo.Parse(doc.Name, []byte(doc.Text))
		problems = append(problems, ps...)
		all.Append(d)
	}
	defs, ps := definition.Define(all)
	var errs []error
	for _, p := range append(problems, ps...) {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	if len(errs) > 0 {
		return nil, badRequest{errors.Join(errs...)}
	}
	return defs, nil
}
