package definition

import (
	"fmt"
	"maps"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Annotations of documents that say what OpenSLO has no field for.
const (
	annotationBurnAlerts = "signalbox.io/burn-alerts"   // of an SLO: replace (default) or extend
	annotationPeaks      = "signalbox.io/peak-calendar" // of an SLO: name of a PeakCalendar
	annotationPeakValue  = "signalbox.io/peak-value"    // threshold at peak
	annotationPeakTarget = "signalbox.io/peak-target"   // objective at peak, 0 to 1
	annotationPeakFactor = "signalbox.io/peak-factor"   // burn factors at peak are this many times higher
)

// Table is the definition's burn alerts: its policies', else the
// configuration's, and at peak with the factors of the peak.
func (d *Definition) Table(defaults []BurnAlert) []BurnAlert {
	switch {
	case d.extends:
		return append(append([]BurnAlert{}, defaults...), d.BurnAlerts...)
	case d.BurnAlerts != nil:
		return d.BurnAlerts
	}
	return defaults
}

// Row is a burn alert of the table by its name.
func (d *Definition) Row(defaults []BurnAlert, name string) (BurnAlert, bool) {
	for _, b := range d.Table(defaults) {
		if b.Name == name {
			return b, true
		}
	}
	return BurnAlert{}, false
}

// policyIndex finds alert policies and what they refer to by name.
type policyIndex struct {
	policies   map[string]*openslo.AlertPolicy
	conditions map[string]*openslo.AlertCondition
	targets    map[string]*openslo.NotificationTarget
	used       map[string]bool // policies
}

func (r *resolver) indexPolicies() {
	x := policyIndex{map[string]*openslo.AlertPolicy{}, map[string]*openslo.AlertCondition{}, map[string]*openslo.NotificationTarget{}, map[string]bool{}}
	for i := range r.docs.Policies {
		r.once("AlertPolicy", r.docs.Policies[i].Meta)
		x.policies[r.docs.Policies[i].Name] = &r.docs.Policies[i]
	}
	for i := range r.docs.Conditions {
		r.once("AlertCondition", r.docs.Conditions[i].Meta)
		x.conditions[r.docs.Conditions[i].Name] = &r.docs.Conditions[i]
	}
	for i := range r.docs.Targets {
		r.once("AlertNotificationTarget", r.docs.Targets[i].Meta)
		x.targets[r.docs.Targets[i].Name] = &r.docs.Targets[i]
	}
	r.policy = x
}

// burnTable is what an SLO's policies say; nil and "" without any.
func (r *resolver) burnTable(s *openslo.SLO) (rows []BurnAlert, notify string) {
	if len(s.Policies) == 0 {
		return nil, ""
	}
	rows = []BurnAlert{}
	names, notified := map[string]bool{}, []string{}
	for _, ref := range s.Policies {
		p := ref.Inline
		if p == nil {
			if p = r.policy.policies[ref.Name]; p == nil {
				r.dangling(s.Meta, ref.Line, "SLO "+s.Name, "AlertPolicy", ref.Name, keys(r.policy.policies))
				continue
			}
			r.policy.used[ref.Name] = true
		}
		if !p.WhenBreaching && !p.WhenNoData {
			r.report(p.Meta, p.Line, true, fmt.Sprintf("AlertPolicy %s never alerts", p.Name), "set alertWhenBreaching or alertWhenNoData")
		}
		for _, c := range r.conditionsOf(p) {
			for _, row := range r.burnRowsOf(p, c) {
				if names[row.Name] {
					r.report(p.Meta, c.Line, false, fmt.Sprintf("SLO %s: two alerts are called %s", s.Name, row.Name), "give the AlertConditions different names")
				}
				names[row.Name] = true
				rows = append(rows, row)
			}
		}
		notified = append(notified, r.targetsOf(p)...)
	}
	return rows, strings.Join(notified, ",")
}

func (r *resolver) conditionsOf(p *openslo.AlertPolicy) (out []*openslo.AlertCondition) {
	for _, ref := range p.Conditions {
		c := ref.Inline
		if c == nil {
			c = r.policy.conditions[ref.Name]
		}
		if c == nil {
			r.dangling(p.Meta, ref.Line, "AlertPolicy "+p.Name, "AlertCondition", ref.Name, keys(r.policy.conditions))
			continue
		}
		out = append(out, c)
	}
	return out
}

func (r *resolver) targetsOf(p *openslo.AlertPolicy) (out []string) {
	for _, ref := range p.Targets {
		t := ref.Inline
		if t == nil {
			t = r.policy.targets[ref.Name]
		}
		if t == nil {
			r.dangling(p.Meta, ref.Line, "AlertPolicy "+p.Name, "AlertNotificationTarget", ref.Name, keys(r.policy.targets))
			continue
		}
		out = append(out, t.Target)
	}
	return out
}

func (r *resolver) dangling(m openslo.Meta, line int, who, kind, name string, known []string) {
	r.report(m, line, false, fmt.Sprintf("%s: there is no %s %s", who, kind, name), nearestOr(name, known, "write that document"))
}

// burnRowsOf makes rows of one condition: one for breaches and, where the
// policy wants it, one for missing data.
func (r *resolver) burnRowsOf(p *openslo.AlertPolicy, c *openslo.AlertCondition) (rows []BurnAlert) {
	row := BurnAlert{
		Name: alertName(c.Name), Long: prom.Duration(c.Lookback), Factor: c.Threshold, For: prom.Duration(c.After), Effect: effectOf(c.Severity),
		Alert: c.Annotations[openslo.AnnotationAlertName], Annotations: merge(p.Annotations, c.Annotations), Labels: merge(p.Labels, c.Labels),
	}
	switch only := c.Annotations[openslo.AnnotationAlertLabels]; only {
	case "":
	case "only":
		row.Labels, row.Annotations, row.Only = c.Labels, c.Annotations, true
	default:
		r.report(c.Meta, c.Line, false, fmt.Sprintf("AlertCondition %s: annotation %s is %q", c.Name, openslo.AnnotationAlertLabels, only), "say only, or leave it out")
	}
	if text := c.Annotations[openslo.AnnotationShortWindow]; text != "" {
		d, err := prom.ParseDuration(text)
		if err != nil {
			r.report(c.Meta, c.Line, false, fmt.Sprintf("AlertCondition %s: %s: %v", c.Name, openslo.AnnotationShortWindow, err), "use for example 5m")
		}
		row.Short = d
	} else if row.ShortWindow() < time.Minute {
		row.Short = prom.Duration(time.Minute)
	}
	for _, err := range row.Validate() {
		r.report(c.Meta, c.Line, false, fmt.Sprintf("AlertCondition %s: %v", c.Name, err), "lookbackWindow is the long window, 1h for example")
	}
	if p.WhenBreaching {
		rows = append(rows, row)
	}
	if p.WhenNoData {
		row.Name, row.NoData = row.Name+"NoData", true
		rows = append(rows, row)
	}
	return rows
}

// merge lays one map over another; nil when both are empty.
func merge(below, above map[string]string) map[string]string {
	if len(below)+len(above) == 0 {
		return nil
	}
	out := map[string]string{}
	maps.Copy(out, below)
	maps.Copy(out, above)
	return out
}

// effectOf reads the severities that people write.
func effectOf(severity string) string {
	switch strings.ToLower(severity) {
	case "page", "critical", "high", "sev1", "p0", "p1":
		return EffectPage
	case "warn", "warning", "medium", "sev2", "p2":
		return EffectWarn
	}
	return EffectTicket
}

// alertName makes an alert's name of a document's: burn-fast becomes burn_fast.
func alertName(name string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(name)
}
