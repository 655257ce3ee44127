package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Level is what an urgency means.
type Level struct {
	Name string `yaml:"name" json:"name"`
	// Notice tells at once, where it wakes nobody: chat and e-mail.
	Notice bool `yaml:"notice" json:"notice"`
	// PageAfter is how long somebody has to acknowledge before people are paged; absent, nobody is.
	PageAfter *common.Duration `yaml:"page_after" json:"page_after,omitempty" doc:"absent: it pages nobody"`
	// Severities are the values of the label severity that mean this level.
	Severities []string `yaml:"severities" json:"severities,omitempty"`
	// Classes are the classes of metrics whose alerts are never more urgent than this.
	Classes []string `yaml:"classes" json:"classes,omitempty" doc:"alerts of these classes are never more urgent"`
	// Unknown marks the level of alerts that no label classifies.
	Unknown bool `yaml:"unknown" json:"unknown,omitempty" doc:"the level of alerts that no label classifies"`
}

// Pages reports whether people are paged, and after how long.
func (l Level) Pages() (after time.Duration, ok bool) {
	if l.PageAfter == nil {
		return 0, false
	}
	return time.Duration(*l.PageAfter), true
}

// Text says in words what the level does.
func (l Level) Text() string {
	after, pages := l.Pages()
	switch {
	case pages && after == 0 && l.Notice:
		return "notices and pages at once"
	case pages && after == 0:
		return "pages at once"
	case pages && l.Notice:
		return fmt.Sprintf("notices at once, and pages after %s unless somebody has acknowledged", short(after))
	case pages:
		return fmt.Sprintf("pages after %s unless somebody has acknowledged", short(after))
	case l.Notice:
		return "notices, and pages nobody"
	}
	return "tells nobody"
}

func short(d time.Duration) string { return common.Duration(d).String() }

// Levels are all, the most urgent first.
type Levels []Level

// DefaultLevels are what applies where no file says otherwise.
func DefaultLevels() Levels {
	after := func(d time.Duration) *common.Duration { v := common.Duration(d); return &v }
	return Levels{
		{Name: "P0", PageAfter: after(0), Severities: []string{"critical", "page"}},
		{Name: "P1", Notice: true, PageAfter: after(5 * time.Minute), Severities: []string{"high", "error"}},
		{Name: "P2", Notice: true, PageAfter: after(15 * time.Minute), Severities: []string{"medium"}, Unknown: true},
		{Name: "P3", Notice: true, Severities: []string{"warning", "low", "info", "ticket"}, Classes: []string{"resource"}},
	}
}

// The labels that classify an alert.
const (
	priorityLabel = "priority"
	severityLabel = "severity"
	classLabel    = "class"
)

// classes are those that a metric may have: what users feel, what machines have left, and what runs out.
func classes() []string { return []string{"work", "resource", "pool"} }

// Of is the level of an alert, and why in words.
func (ls Levels) Of(labels model.Labels) (Level, string) {
	at, why := ls.claimed(labels)
	for i := at + 1; i < len(ls); i++ {
		if class := labels.Own(classLabel); class != "" && slices.Contains(ls[i].Classes, strings.ToLower(class)) {
			return ls[i], fmt.Sprintf("%s, but alerts of the class %s are never more urgent than %s", why, class, ls[i].Name)
		}
	}
	return ls[at], why
}

// claimed is the level that the labels ask for.
func (ls Levels) claimed(labels model.Labels) (int, string) {
	for _, name := range []string{priorityLabel, severityLabel} {
		v := labels.Own(name)
		if v == "" {
			continue
		}
		for i, l := range ls {
			if strings.EqualFold(l.Name, v) || name == severityLabel && slices.ContainsFunc(l.Severities, func(s string) bool { return strings.EqualFold(s, v) }) {
				return i, fmt.Sprintf("%s=%s", name, v)
			}
		}
	}
	why := "it has neither " + priorityLabel + " nor " + severityLabel
	if v := labels.Own(severityLabel); v != "" {
		why = fmt.Sprintf("no level knows %s=%s", severityLabel, v)
	}
	return max(0, slices.IndexFunc(ls, func(l Level) bool { return l.Unknown })), why
}

// Worst is the most urgent level of several alerts, and why.
func (ls Levels) Worst(alerts []model.Labels) (worst Level, why string) {
	at := len(ls)
	for _, labels := range alerts {
		l, reason := ls.Of(labels)
		if i := ls.Rank(l.Name); i < at {
			at, worst, why = i, l, reason
		}
	}
	if at == len(ls) {
		return ls.Of(nil)
	}
	return worst, why
}

// Rank is 0 for the most urgent level; unknown names come after all.
func (ls Levels) Rank(name string) int {
	if i := slices.IndexFunc(ls, func(l Level) bool { return l.Name == name }); i >= 0 {
		return i
	}
	return len(ls)
}

// Validate lists what is wrong with one level; each message begins with the field.
func (l *Level) Validate() (errs []error) {
	if !nameRE.MatchString(l.Name) {
		errs = append(errs, fmt.Errorf("name: %s, got %q", nameRule, l.Name))
	}
	for i, c := range l.Classes {
		if !slices.Contains(classes(), c) {
			errs = append(errs, fmt.Errorf("classes[%d]: must be one of %s, got %q", i, strings.Join(classes(), ", "), c))
		}
	}
	return errs
}
