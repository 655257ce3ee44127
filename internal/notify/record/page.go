package record

import (
	"fmt"
	"slices"
	"strings"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// severities are ordered, worst first; others come after them.
var severities = []string{"critical", "page", "error", "high", "warning", "medium", "info", "low"}

// describe fills in what a page says from the alerts of its group's newest
// notification.
func describe(p *model.Page, alerts []*amalert.Alert, now time.Time) {
	p.Updated = now
	p.Alerts = p.Alerts[:0:0]
	firing := 0
	for _, a := range alerts {
		pa := pageAlert(a, now)
		if pa.Status == "firing" {
			firing++
		}
		p.Alerts = append(p.Alerts, pa)
	}
	slices.SortStableFunc(p.Alerts, func(a, b model.PageAlert) int {
		if a.Status != b.Status {
			return strings.Compare(a.Status, b.Status) // firing before resolved
		}
		return rank(a.Labels.Own("severity")) - rank(b.Labels["severity"])
	})
	p.Status, p.ResolvedAt = "firing", nil
	if firing == 0 {
		p.Status, p.ResolvedAt = "resolved", &now
	}
	worst := p.Alerts[0]
	p.Severity = worst.Labels.Own("severity")
	p.Service = worst.Labels.Own("service")
	p.Title = title(worst, len(p.Alerts)-1)
	p.Summary = firstOf(worst.Annotations, "summary", "message", "description", "title")
}

func pageAlert(a *amalert.Alert, now time.Time) model.PageAlert {
	pa := model.PageAlert{
		Fingerprint: a.Fingerprint().String(),
		Labels:      Labels(a.Labels),
		Annotations: Labels(a.Annotations),
		StartsAt:    a.StartsAt,
		Status:      "firing",
	}
	if a.ResolvedAt(now) {
		end := a.EndsAt
		pa.Status, pa.EndsAt = "resolved", &end
	}
	return pa
}

// title is "DiskFull on edge (prod, eu-1) and 2 more".
func title(a model.PageAlert, more int) string {
	var b strings.Builder
	b.WriteString(a.Labels["alertname"])
	if s := a.Labels.Own("service"); s != "" {
		b.WriteString(" on " + s)
	}
	var where []string
	for _, k := range []string{"env", "region"} {
		if v := a.Labels[k]; v != "" {
			where = append(where, v)
		}
	}
	if len(where) > 0 {
		b.WriteString(" (" + strings.Join(where, ", ") + ")")
	}
	if more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

func rank(severity string) int {
	if i := slices.Index(severities, severity); i >= 0 {
		return i
	}
	return len(severities)
}

// aboutWork is false for notifications that carry nothing but marked alerts.
func aboutWork(alerts []*amalert.Alert) bool {
	return slices.ContainsFunc(alerts, func(a *amalert.Alert) bool {
		return a.Labels["severity"] != notify.SeverityNone
	})
}

func allResolved(alerts []*amalert.Alert, now time.Time) bool {
	return !slices.ContainsFunc(alerts, func(a *amalert.Alert) bool { return !a.ResolvedAt(now) })
}

// Labels are the alert's labels as Signalbox' own rooms hold them.
func Labels(ls prommodel.LabelSet) model.Labels {
	m := make(model.Labels, len(ls))
	for k, v := range ls {
		m[string(k)] = string(v)
	}
	return m
}

func firstOf(m model.Labels, keys ...string) string {
	for _, k := range keys {
		if m[k] != "" {
			return m[k]
		}
	}
	return ""
}

func clip(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
