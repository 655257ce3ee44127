// Package scenario plays remedies against a clock and a world that do not exist: files say what happens when, and what must come of it.
//
// The engine is the one that runs in the server, and queries are answered by Prometheus' engine from the samples of the file. What is
// not real is the target: a workload with replicas, which is changed as the executors would.
//
// In: remedies and files of scenarios. Out: what of a file did not come true, with its line. It keeps nothing. Start reading at Play.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
)

// File is one scenario.
type File struct {
	// Scenario says in a sentence what is played.
	Scenario string `yaml:"scenario"`
	// Remedy is the one that is played, by name.
	Remedy string `yaml:"remedy"`
	// Also are others that are in force.
	Also []string `yaml:"also"`
	// Mode is that of the remedy, if not given.
	Mode contract.Mode `yaml:"mode"`
	// DryRun is as the remedy's, if not given.
	DryRun *bool `yaml:"dry_run"`
	// Start is when the clock begins.
	Start time.Time `yaml:"start"`
	// Replicas are those of the workload; 3, if not given.
	Replicas int `yaml:"replicas"`
	// Steps are what happens, in order.
	Steps []Step `yaml:"steps"`
}

// Step is one moment of a scenario.
type Step struct {
	// At is the time since the start.
	At prom.Duration `yaml:"at"`
	// Series are new values; they stay until another step sets them. "none" ends a series.
	Series map[string]string `yaml:"series"`
	// Fires and Resolves are alerts, by their labels.
	Fires    map[string]string `yaml:"fires"`
	Resolves map[string]string `yaml:"resolves"`
	// Do is approve, approve another (a plan that does not wait, which must not do), refuse, stop, stop all, start, start all, restart, or crash before and crash after: the process ends with the next
	// action, before or after the target took it.
	Do string `yaml:"do"`
	// Frozen says why nothing may be done from here on; "no" ends that.
	Frozen string `yaml:"frozen"`
	// Expect is what must be true then, once everything was looked at.
	Expect *Expect `yaml:"expect"`
}

// Expect is what must be true. What is not given is not looked at.
type Expect struct {
	// State and Why are those of the newest run; state none says that there is no run.
	State string `yaml:"state"`
	Why   string `yaml:"why"`
	// Says is a part of its reason.
	Says string `yaml:"says"`
	// Replicas are those of the workload.
	Replicas *int `yaml:"replicas"`
	// Done and Undone count what was carried out and taken back since the start.
	Done   *int `yaml:"done"`
	Undone *int `yaml:"undone"`
	// Tells are the names of the alerts that people have, in order of the alphabet, with blanks between them.
	Tells *string `yaml:"tells"`
}

// Files are how scenarios are found and read.
func Files() document.Files {
	return document.Files{What: "scenario", Setting: "--scenario", MaxBytes: 1 << 20}
}

// Play plays the scenarios that patterns find.
func Play(ctx context.Context, remedies []contract.Remedy, patterns []string) (played int, problems []document.Problem) {
	files, problems := Files().Load(patterns)
	for _, f := range files {
		r, docs := document.Parse(f.Path, f.Text)
		var s File
		if len(docs) != 1 {
			r.Add(document.Problem{Line: 1, Message: "it holds no scenario, or several", Cure: "give each a file with the keys scenario, remedy and steps"})
		} else if docs[0].Read(&s, "", s.validate) {
			played++
			s.play(ctx, remedies, r)
		}
		problems = append(problems, r.Problems()...)
	}
	return played, problems
}

func (s *File) validate() []error {
	var errs []error
	if s.Scenario == "" || s.Remedy == "" || len(s.Steps) == 0 {
		errs = append(errs, errors.New("scenario: the keys scenario, remedy and steps must be given"))
	}
	if s.Start.IsZero() {
		s.Start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	}
	if s.Replicas == 0 {
		s.Replicas = 3
	}
	for i, step := range s.Steps {
		if i > 0 && step.At < s.Steps[i-1].At || step.At > prom.Duration(7*24*time.Hour) {
			errs = append(errs, fmt.Errorf("steps[%d].at: must not be before the step before it, and at most 7d", i))
		}
		if step.Do != "" && !slices.Contains(deeds(), step.Do) {
			errs = append(errs, fmt.Errorf("steps[%d].do: must be one of %s, got %q", i, strings.Join(deeds(), ", "), step.Do))
		}
		for text := range step.Series {
			if _, err := metric(text); err != nil {
				errs = append(errs, fmt.Errorf("steps[%d].series: %w", i, err))
			}
		}
	}
	return errs
}

func deeds() []string {
	return []string{"approve", "approve another", "refuse", "stop", "stop all", "start", "start all", "restart", "crash before", "crash after"}
}

// chosen are the remedies in force.
func (s *File) chosen(remedies []contract.Remedy) (out []contract.Remedy, err error) {
	for i, name := range append([]string{s.Remedy}, s.Also...) {
		k := slices.IndexFunc(remedies, func(r contract.Remedy) bool { return r.Name == name })
		if k < 0 {
			return nil, fmt.Errorf("remedy: %q is in none of the files", name)
		}
		one := remedies[k]
		if s.Mode != "" && i == 0 {
			one.Mode = s.Mode
		}
		if s.DryRun != nil {
			one.DryRun = *s.DryRun
		}
		out = append(out, one)
	}
	return out, nil
}

// every is how often the server looks.
const every = 15 * time.Second

func (s *File) play(ctx context.Context, remedies []contract.Remedy, r *document.Reader) {
	chosen, err := s.chosen(remedies)
	if err != nil {
		r.Invalid("", []error{err})
		return
	}
	w := newWorld(s.Start, s.Replicas, chosen)
	if err := w.boot(); err != nil {
		r.Invalid("", []error{fmt.Errorf("scenario: %w", err)})
		return
	}
	for i, step := range s.Steps {
		errs := w.until(ctx, s.Start.Add(time.Duration(step.At)))
		errs = append(errs, w.apply(ctx, step)...)
		if step.Do != "" || step.Expect == nil || len(step.Series)+len(step.Fires)+len(step.Resolves) > 0 {
			errs = append(errs, w.look(ctx))
		}
		errs = append(errs, w.compare(ctx, step.Expect)...)
		for _, err := range errs {
			if err != nil {
				r.Invalid("", []error{fmt.Errorf("steps[%d]: after %s: %w", i, step.At, err)})
			}
		}
	}
}

// until looks again and again until a time.
func (w *world) until(ctx context.Context, t time.Time) (errs []error) {
	for w.now.Add(every).Before(t) {
		w.now = w.now.Add(every)
		errs = append(errs, w.look(ctx))
	}
	if w.now.Before(t) {
		w.now = t
		errs = append(errs, w.look(ctx))
	}
	return errs
}

// look has the engine look twice, so that what came of an order is seen; a process that ended is begun anew.
func (w *world) look(ctx context.Context) error {
	for range 2 {
		err := w.engine.Step(ctx)
		w.engine.Wait()
		if w.view.dead {
			w.crash = ""
			if err := w.boot(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) apply(ctx context.Context, step Step) (errs []error) {
	for text, value := range step.Series {
		errs = append(errs, w.samples.set(text, value, w.now))
	}
	if step.Fires != nil {
		w.fire(step.Fires)
	}
	if step.Resolves != nil {
		w.resolve(step.Resolves)
	}
	switch step.Frozen {
	case "":
	case "no":
		w.frozen = ""
	default:
		w.frozen = step.Frozen
	}
	return append(errs, w.do(ctx, step.Do))
}

func (w *world) do(ctx context.Context, what string) (err error) {
	name := w.remedies[0].Name
	switch what {
	case "approve", "approve another", "refuse":
		run, err := w.newest(ctx)
		if err != nil {
			return err
		}
		switch what {
		case "refuse":
			_, err = w.engine.Refuse(ctx, run.ID, "not now", "anna")
		case "approve":
			_, err = w.engine.Approve(ctx, run.ID, "", "anna")
		default:
			if _, err := w.engine.Approve(ctx, run.ID, "a plan of before", "anna"); err == nil {
				return errors.New("a plan that does not wait was approved")
			}
		}
		return err
	case "stop":
		_, err = w.engine.Stop(ctx, name, "played", "anna")
	case "stop all":
		_, err = w.engine.Stop(ctx, "", "played", "anna")
	case "start":
		_, err = w.engine.Start(ctx, name)
	case "start all":
		_, err = w.engine.Start(ctx, "")
	case "restart":
		err = w.boot()
	case "crash before", "crash after":
		w.crash = what
	}
	return err
}

func (w *world) newest(ctx context.Context) (engine.Run, error) {
	runs, err := w.engine.Runs(ctx, engine.Query{Remedy: w.remedies[0].Name, Limit: 1})
	if err != nil || len(runs) == 0 {
		return engine.Run{}, errors.Join(err, errors.New("there is no run"))
	}
	return runs[0], nil
}

func (w *world) compare(ctx context.Context, e *Expect) (errs []error) {
	if e == nil {
		return nil
	}
	wrong := func(what string, got, want any) {
		errs = append(errs, fmt.Errorf("%s is %v, and should be %v", what, got, want))
	}
	run, err := w.newest(ctx)
	switch {
	case err != nil && e.State == "none":
	case err != nil && e.State != "":
		return []error{err}
	case e.State != "" && string(run.State) != e.State:
		wrong("the state", fmt.Sprintf("%s (%s)", run.State, run.Reason), e.State)
	}
	if e.Why != "" && run.Why != e.Why {
		wrong("why", fmt.Sprintf("%q (%s)", run.Why, run.Reason), e.Why)
	}
	if !strings.Contains(run.Reason, e.Says) {
		wrong("the reason", fmt.Sprintf("%q", run.Reason), fmt.Sprintf("one that says %q", e.Says))
	}
	for _, n := range []struct {
		what string
		got  int
		want *int
	}{{"the number of replicas", w.replicas, e.Replicas}, {"the number of actions", w.done, e.Done}, {"the number of actions taken back", w.undone, e.Undone}} {
		if n.want != nil && n.got != *n.want {
			wrong(n.what, n.got, *n.want)
		}
	}
	if got := w.told(); e.Tells != nil && got != *e.Tells {
		wrong("what people are told", fmt.Sprintf("%q", got), fmt.Sprintf("%q", *e.Tells))
	}
	return errs
}

// alertsOf are those in force, oldest first.
func (w *world) alertsOf(context.Context) ([]engine.Alert, error) { return slices.Clone(w.alerts), nil }

func (w *world) fire(of map[string]string) {
	w.resolve(of)
	w.alerts = append(w.alerts, engine.Alert{Fingerprint: identity(of), Labels: of, Since: w.now})
}

func (w *world) resolve(of map[string]string) {
	w.alerts = slices.DeleteFunc(w.alerts, func(a engine.Alert) bool { return a.Fingerprint == identity(of) })
}

func identity(of map[string]string) string { return labels.FromMap(of).String() }
