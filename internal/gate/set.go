package gate

import (
	"path"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// DefaultName is the name of the policy of the gate section in decisions.
const DefaultName = "default"

// Set is every budget policy in force. Where several match, all apply and the
// strictest verdict wins; where none does, Default applies.
type Set struct {
	Default Policy        `json:"default"`
	Named   []NamedPolicy `json:"named"`
}

// NamedPolicy is one policy of a policy file.
type NamedPolicy struct {
	// Name is unique; decisions name it.
	Name string `json:"name" yaml:"name"`
	// Match says what the policy is for; empty is for everything.
	Match Selector `json:"match" yaml:"match"`
	// Rules begin as those of the gate section; a file says what differs.
	Rules Policy `json:"rules" yaml:"rules"`
	// Freezes are the times at which nothing may be deployed.
	Freezes []Freeze `json:"freezes" yaml:"freezes"`
	// File and Line are where it stands.
	File string `json:"file" yaml:"-"`
	Line int    `json:"line" yaml:"-"`
}

// Selector says which deployments and SLOs a policy is for: all that is
// given must match, and of a list any one. Names may have * and ? in them.
type Selector struct {
	// Services are names of services.
	Services []string `json:"services,omitempty" yaml:"services"`
	// Teams are values of an SLO's label team.
	Teams []string `json:"teams,omitempty" yaml:"teams"`
	// Environments are those deployed to. A request that names none concerns all.
	Environments []string `json:"environments,omitempty" yaml:"environments"`
	// Labels are labels of an SLO.
	Labels map[string]string `json:"labels,omitempty" yaml:"labels"`
}

// matches asks for a deployment and the labels of one SLO.
func (s Selector) matches(service, environment string, labels map[string]string) bool {
	if len(s.Services) > 0 && !anyLike(s.Services, service) ||
		len(s.Environments) > 0 && environment != "" && !anyLike(s.Environments, model.Listed(environment)...) ||
		len(s.Teams) > 0 && !anyLike(s.Teams, model.Listed(labels["team"])...) {
		return false
	}
	for k, pattern := range s.Labels {
		if v, ok := labels[k]; !ok || !like(pattern, v) && !anyLike([]string{pattern}, model.Listed(v)...) {
			return false
		}
	}
	return true
}

func anyLike(patterns []string, names ...string) bool {
	for _, p := range patterns {
		if slices.ContainsFunc(names, func(name string) bool { return like(p, name) }) {
			return true
		}
	}
	return false
}

func like(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// Windows are those that the policies judge burn by, each once.
func (set Set) Windows() []time.Duration {
	var out []time.Duration
	add := func(p Policy) {
		for _, r := range []BurnRule{p.BurnFast, p.BurnSlow} {
			out = append(out, time.Duration(r.Long), time.Duration(r.Short))
		}
	}
	add(set.Default)
	for _, p := range set.Named {
		add(p.Rules)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// forSLO are the policies that apply to one SLO.
func (set Set) forSLO(req model.GateRequest, s model.SLOSnapshot) []NamedPolicy {
	environment := req.Environment
	if environment == "" {
		environment = s.Environment
	}
	return set.where(func(p NamedPolicy) bool { return p.Match.matches(req.Service, environment, s.Status.Labels) })
}

// forRequest are the policies that apply to a deployment as a whole: those that
// match by the request alone or through any of its SLOs.
func (set Set) forRequest(req model.GateRequest, slos []model.SLOSnapshot) []NamedPolicy {
	return set.where(func(p NamedPolicy) bool {
		if p.Match.matches(req.Service, req.Environment, nil) {
			return true
		}
		for _, s := range slos {
			if p.Match.matches(req.Service, req.Environment, s.Status.Labels) {
				return true
			}
		}
		return false
	})
}

func (set Set) where(matches func(NamedPolicy) bool) []NamedPolicy {
	var out []NamedPolicy
	for _, p := range set.Named {
		if matches(p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return []NamedPolicy{{Name: DefaultName, Rules: set.Default}}
	}
	return out
}

// concerning is the set without the policies that have no say in an input: a
// decision is the same with it, and no larger than needed when it is stored.
func (set Set) concerning(in Input) Set {
	out := Set{Default: set.Default, Named: []NamedPolicy{}}
	for _, p := range set.forRequest(in.Request, in.SLOs) {
		if p.Name != DefaultName {
			out.Named = append(out.Named, p)
		}
	}
	return out
}
