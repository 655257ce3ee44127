// Package rulereview prepares the weekly review of alerting rules: what each rule did in a period, what came of it, and what
// of its file could be changed, as a patch.
//
// It proposes and changes nothing. In: the rules in force with the text of their files, the ALERTS series that they left, pages,
// and what people did meanwhile. Out: a RuleReview. What it cannot know it says: how much of the period rules were evaluated in
// (by the watchdog, which always fires) stands at the head, and with less than half of it nothing is proposed.
//
// Start reading at Room.Review, then judge.go and edit.go.
package rulereview

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

// step is how exactly firings are known.
const step = time.Minute

// enough is the share of the period that must be known before anything is proposed.
const enough = 0.5

// Querier evaluates PromQL; query/promql does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// Deps is what a Room is given.
type Deps struct {
	Querier Querier
	// Files are the rule files in force, as they were read, and Set is what stands in them.
	Files func() []document.File
	Set   func() rules.Set
	Pages interface {
		Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	}
	Deploys interface {
		Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
	}
	Remedies interface {
		Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error)
	}
	// Worked answers the pages of incidents on which people worked; may be nil.
	Worked func(ctx context.Context, from, to time.Time) (map[string]bool, error)
	// Dir is the folder that the paths of a patch are relative to, where they lie below it.
	Dir string
	Now func() time.Time
}

// Room makes reviews. It is safe for concurrent use.
type Room struct{ deps Deps }

// New makes a Room.
func New(deps Deps) *Room {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Room{deps}
}

// RuleReview is what the alerting rules did in a period.
type RuleReview struct {
	Summary string         `json:"summary"`
	Start   time.Time      `json:"start"`
	End     time.Time      `json:"end"`
	Covered float64        `json:"covered" doc:"the share of the period in which rules were evaluated, by the series of the watchdog, which always fires"`
	Rules   []ReviewedRule `json:"rules" doc:"those with proposals first, then those that fired most often"`
	Patch   string         `json:"patch" doc:"all proposed edits as a unified diff for git apply; empty without any"`
	Notes   []string       `json:"notes" doc:"what could not be known"`
}

// ReviewedRule is what one alerting rule did.
type ReviewedRule struct {
	Alert     string           `json:"alert"`
	Group     string           `json:"group"`
	File      string           `json:"file"`
	Severity  string           `json:"severity"`
	Firings   RuleFirings      `json:"firings"`
	Outcome   RuleOutcome      `json:"outcome"`
	Missed    int              `json:"missed" doc:"times in which a budget of its service burned at 6× or more and it did not fire; only of rules whose service is known"`
	Findings  []RuleFinding    `json:"findings"`
	Proposals []RuleEdit       `json:"proposals"`
	Stale     []string         `json:"stale" doc:"selectors of its expression that have found no series in the period"`
	Together  []RuleCoincident `json:"together" doc:"rules that fire while this one does, for the same service"`
}

// RuleFirings are how often and how long a rule fired.
type RuleFirings struct {
	Count   int     `json:"count" doc:"alerts that began, each set of labels by itself"`
	Seconds float64 `json:"seconds" doc:"how long they fired in all"`
	Flapped int     `json:"flapped" doc:"those that began within half an hour of the end of one with the same labels"`
	Last    string  `json:"last,omitempty" doc:"when the last one began"`
}

// RuleOutcome is what came of firings that are over.
type RuleOutcome struct {
	Told         int `json:"told" doc:"those that reached a page"`
	Quiet        int `json:"quiet" doc:"those that reached none: silenced, inhibited or held back"`
	ActedOn      int `json:"acted_on" doc:"those whose page somebody acknowledged or worked on in an incident, or in which somebody deployed or rolled back, or a remedy acted"`
	AutoResolved int `json:"auto_resolved" doc:"those that were told and ended without anybody acting"`
	Open         int `json:"open" doc:"those that fire still"`
}

// RuleFinding is something odd about a rule.
type RuleFinding struct {
	Kind string `json:"kind" enum:"auto-resolved,never-acted-on,always-quiet,flapping,duplicate,missed-burn,never-fired,stale"`
	Text string `json:"text" doc:"with the figures that it rests on"`
}

// RuleCoincident is a rule that fires at the same time.
type RuleCoincident struct {
	Alert string  `json:"alert"`
	Share float64 `json:"share" doc:"of the time in which this rule fired"`
}

// RuleEdit is an edit of a rule.
type RuleEdit struct {
	Kind   string `json:"kind" enum:"for,keep_firing_for,severity,remove"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Why    string `json:"why" doc:"the evidence"`
	Manual string `json:"manual,omitempty" doc:"why it is not in the patch, if it is not"`
}

// Edit is what a proposal changes, in words.
func (p RuleEdit) Edit() string {
	switch {
	case p.Kind == "remove":
		return "remove it"
	case p.From == "":
		return "set " + p.Kind + " to " + p.To
	}
	return "change " + p.Kind + " from " + p.From + " to " + p.To
}

// NeverFired is the finding that there is nothing to find.
const NeverFired = "never-fired"

// Review reviews the rules of so many days until now.
func (r *Room) Review(ctx context.Context, days int) (RuleReview, error) {
	end := r.deps.Now().UTC().Truncate(step)
	out := RuleReview{Start: end.AddDate(0, 0, -days), End: end, Notes: []string{}, Rules: []ReviewedRule{}}
	h, err := r.read(ctx, out.Start, out.End)
	if err != nil {
		return out, fmt.Errorf("review rules: %w", err)
	}
	out.Covered = h.covered
	files := map[string][]byte{}
	for _, f := range r.deps.Files() {
		files[f.Path] = f.Text
	}
	edits := map[string][]edit{}
	for _, f := range r.deps.Set() {
		for _, g := range f.Groups.Groups {
			for _, rule := range g.Rules {
				if rule.Alert == "" {
					continue
				}
				one, err := r.judge(ctx, h, f.Path, g.Name, rule)
				if err != nil {
					return out, err
				}
				for _, p := range one.Proposals {
					edits[f.Path] = append(edits[f.Path], edit{alert: rule.Alert, group: g.Name, proposal: p})
				}
				out.Rules = append(out.Rules, one)
			}
		}
	}
	out.patch(files, edits, r.deps.Dir)
	slices.SortStableFunc(out.Rules, func(a, b ReviewedRule) int {
		if d := len(b.Proposals) - len(a.Proposals); d != 0 {
			return d
		}
		return b.Firings.Count - a.Firings.Count
	})
	out.say(days)
	return out, nil
}

// patch makes the diff of all edits, and says of each proposal that is not in it why.
func (out *RuleReview) patch(files map[string][]byte, edits map[string][]edit, dir string) {
	for _, path := range slices.Sorted(maps.Keys(edits)) {
		name := path
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			name = rel
		}
		text, failed := diff(name, files[path], edits[path])
		out.Patch += text
		for i := range out.Rules {
			one := &out.Rules[i]
			for k := range one.Proposals {
				if p := &one.Proposals[k]; one.File == path {
					p.Manual = failed[edit{one.Alert, one.Group, *p}.key()]
				}
			}
		}
	}
}

func (out *RuleReview) say(days int) {
	fired, proposals := 0, 0
	for _, r := range out.Rules {
		fired += r.Firings.Count
		proposals += len(r.Proposals)
	}
	known := human.Percent(out.Covered)
	switch {
	case len(out.Rules) == 0:
		out.Summary = "No rule file holds an alerting rule: name them in rule_files."
	case out.Covered < enough:
		out.Summary = fmt.Sprintf("Only %s of the last %d days are known, so nothing is proposed: rules were not evaluated, or what they left is not kept any more.", known, days)
	default:
		out.Summary = fmt.Sprintf("%d rules fired %d times in %d days (%s of which are known); %d edits are proposed.", len(out.Rules), fired, days, known, proposals)
	}
	out.Notes = append(out.Notes, "Firings are known to the minute. One that reached no page may have been silenced, inhibited or held back: of which, only the alerts API of that moment knew.")
}

func severityOf(r rulefmt.Rule) string { return strings.ToLower(r.Labels["severity"]) }
