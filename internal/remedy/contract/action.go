package contract

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/signalbox-project/signalbox/internal/remedy/argocd"
	"github.com/signalbox-project/signalbox/internal/remedy/gitlab"
	"github.com/signalbox-project/signalbox/internal/remedy/kubernetes"
	"github.com/signalbox-project/signalbox/internal/remedy/script"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
)

// Action is what is done: exactly one of its kinds.
type Action struct {
	// Scale multiplies the replicas of a Deployment.
	Scale *Scale `yaml:"scale" json:"scale,omitempty"`
	// Restart restarts the pods of a Deployment, as kubectl rollout restart does.
	Restart *kubernetes.Config `yaml:"restart" json:"restart,omitempty"`
	// Rollback undoes the newest rollout of a Deployment, as kubectl rollout undo does.
	Rollback *kubernetes.Config `yaml:"rollback" json:"rollback,omitempty"`
	// ArgoCD rolls an application back or syncs it.
	ArgoCD *argocd.Config `yaml:"argocd" json:"argocd,omitempty"`
	// GitLab triggers a pipeline.
	GitLab *gitlab.Config `yaml:"gitlab" json:"gitlab,omitempty"`
	// Webhook sends a signed order.
	Webhook *webhook.Config `yaml:"webhook" json:"webhook,omitempty"`
	// Script runs a program that the configuration allows.
	Script *script.Config `yaml:"script" json:"script,omitempty"`
}

// Scale is how a Deployment is scaled.
type Scale struct {
	kubernetes.Config `yaml:",inline"`
	// Factor multiplies the replicas.
	Factor float64 `yaml:"factor" json:"factor"`
	// AtMost is a query whose answer they must not exceed, such as the number of a topic's partitions.
	AtMost Query `yaml:"at_most" json:"at_most,omitempty"`
}

// Kind is the action's key in a file; "" without one.
func (a Action) Kind() string {
	for _, k := range a.kinds() {
		if k.set {
			return k.name
		}
	}
	return ""
}

type kind struct {
	name     string
	set      bool
	validate func() []error
	target   []*string // what is taken from the alert's labels, and names the target
}

func (a Action) kinds() []kind {
	out := []kind{
		{"scale", a.Scale != nil, func() []error { return a.Scale.validate() }, nil},
		{"restart", a.Restart != nil, func() []error { return a.Restart.Validate() }, nil},
		{"rollback", a.Rollback != nil, func() []error { return a.Rollback.Validate() }, nil},
		{"argocd", a.ArgoCD != nil, func() []error { return a.ArgoCD.Validate() }, nil},
		{"gitlab", a.GitLab != nil, func() []error { return a.GitLab.Validate() }, nil},
		{"webhook", a.Webhook != nil, func() []error { return a.Webhook.Validate() }, nil},
		{"script", a.Script != nil, func() []error { return a.Script.Validate() }, nil},
	}
	for i := range out {
		out[i].target = a.names(out[i].name)
	}
	return out
}

// names are the texts of an action in which labels may stand.
func (a Action) names(kind string) (out []*string) {
	workload := func(c *kubernetes.Config) []*string {
		if c == nil {
			return nil
		}
		return []*string{&c.Namespace, &c.Deployment}
	}
	switch {
	case kind == "scale" && a.Scale != nil:
		return workload(&a.Scale.Config)
	case kind == "restart":
		return workload(a.Restart)
	case kind == "rollback":
		return workload(a.Rollback)
	case kind == "argocd" && a.ArgoCD != nil:
		return []*string{&a.ArgoCD.Application}
	case kind == "script" && a.Script != nil:
		for i := range a.Script.Args {
			out = append(out, &a.Script.Args[i])
		}
		for i := range a.Script.Undo {
			out = append(out, &a.Script.Undo[i])
		}
	}
	return out
}

func (s *Scale) validate() []error {
	errs := s.Validate()
	if s.Factor <= 1 || s.Factor > 10 {
		errs = append(errs, fmt.Errorf("factor: must be > 1 and <= 10, got %v", s.Factor))
	}
	if s.AtMost != "" {
		if _, err := s.AtMost.parse(); err != nil {
			errs = append(errs, fmt.Errorf("at_most: %w", err))
		}
	}
	return errs
}

func (a Action) validate() []error {
	var errs []error
	n := 0
	for _, k := range a.kinds() {
		if !k.set {
			continue
		}
		n++
		for _, err := range k.validate() {
			errs = append(errs, fmt.Errorf("action.%s.%w", k.name, err))
		}
	}
	if n != 1 {
		errs = append(errs, errors.New("action: must have exactly one of scale, restart, rollback, argocd, gitlab, webhook and script"))
	}
	return errs
}

// safe is what a label may say where it names a target or stands in an argument: no option of a program, no path upwards.
var safe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,252}$`)

// For is the action on the target that an alert's labels name, and the name of that target, by which two remedies exclude one another.
func (a Action) For(from map[string]string) (out Action, target string, err error) {
	out = a.clone()
	for _, text := range out.names(out.Kind()) {
		value, err := expand(*text, from, func(s string) string { return s })
		if err != nil {
			return out, "", err
		}
		if value != *text {
			for _, name := range labelsOf(*text) {
				if v := from[name]; !safe.MatchString(v) || strings.Contains(v, "..") {
					return out, "", fmt.Errorf("the label %s of the alert is %q, which names no target", name, v)
				}
			}
		}
		*text = value
	}
	return out, out.target(from), nil
}

func (a Action) clone() Action {
	switch {
	case a.Scale != nil:
		c := *a.Scale
		a.Scale = &c
	case a.Restart != nil:
		c := *a.Restart
		a.Restart = &c
	case a.Rollback != nil:
		c := *a.Rollback
		a.Rollback = &c
	case a.ArgoCD != nil:
		c := *a.ArgoCD
		a.ArgoCD = &c
	case a.Script != nil:
		c := *a.Script
		c.Args, c.Undo = append([]string{}, c.Args...), append([]string{}, c.Undo...)
		a.Script = &c
	}
	return a
}

func (a Action) target(from map[string]string) string {
	workload := func(c kubernetes.Config) string { return "deployment " + c.Namespace + "/" + c.Deployment }
	switch {
	case a.Scale != nil:
		return workload(a.Scale.Config)
	case a.Restart != nil:
		return workload(*a.Restart)
	case a.Rollback != nil:
		return workload(*a.Rollback)
	case a.ArgoCD != nil:
		return "application " + a.ArgoCD.Application
	case a.Script != nil:
		return strings.Join(append([]string{"script", a.Script.Name}, a.Script.Args...), " ")
	}
	service := from["service"]
	if service == "" {
		service = "every service"
	}
	return "service " + service
}

// anchor makes the paths of an action relative to its file's folder.
func (a Action) anchor(dir string) {
	var files []*string
	switch {
	case a.Scale != nil:
		files = a.Scale.Files()
	case a.Restart != nil:
		files = a.Restart.Files()
	case a.Rollback != nil:
		files = a.Rollback.Files()
	case a.ArgoCD != nil:
		files = a.ArgoCD.Files()
	case a.GitLab != nil:
		files = a.GitLab.Files()
	case a.Webhook != nil:
		files = a.Webhook.Files()
	}
	for _, f := range files {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}
