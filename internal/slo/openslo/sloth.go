package openslo

import (
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// slothPeriod is the window of Sloth's SLOs where nobody says another.
const slothPeriod = 30 * day

// AlertWindows are own windows of Sloth's alerts, for SLOs of one period.
type AlertWindows struct {
	Meta
	Period  time.Duration
	Windows []BurnWindow
}

// SlothAlerting is what a Sloth SLO says of its alerts. Their windows may stand in another
// file, so the alerts are made when all files are read.
type SlothAlerting struct {
	stem         string
	page, ticket *foreignAlert // nil: disabled
}

// SlothWindows are Sloth's: each factor is the share of the budget that may be
// spent within the long window times period / long.
func SlothWindows(period time.Duration) []BurnWindow {
	rows := []BurnWindow{
		{Name: "page_quick", Severity: "page", Long: time.Hour, Short: 5 * time.Minute, Factor: 0.02},
		{Name: "page_slow", Severity: "page", Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 0.05},
		{Name: "ticket_quick", Severity: "ticket", Long: day, Short: 2 * time.Hour, Factor: 0.10},
		{Name: "ticket_slow", Severity: "ticket", Long: 3 * day, Short: 6 * time.Hour, Factor: 0.10},
	}
	return scaled(rows, period)
}

// scaled turns shares of the budget into burn rates.
func scaled(rows []BurnWindow, period time.Duration) []BurnWindow {
	for i := range rows {
		rows[i].Factor *= float64(period) / float64(rows[i].Long)
	}
	return rows
}

// settle gives Sloth's SLOs their period and their alerts. Sloth has one period for a run; files that
// bring windows of just one other period mean that one.
func (d *Documents) settle() {
	period, own := slothPeriod, map[time.Duration][]BurnWindow{}
	for _, w := range d.Windows {
		own[w.Period] = w.Windows
	}
	if _, usual := own[slothPeriod]; len(own) == 1 && !usual {
		for only := range own {
			period = only
		}
	}
	windows := own[period]
	if windows == nil {
		windows = SlothWindows(period)
	}
	for i := range d.SLOs {
		s := &d.SLOs[i]
		if s.Sloth == nil {
			continue
		}
		s.Window = period
		var conditions []ConditionRef
		for _, w := range windows {
			a := s.Sloth.page
			if w.Severity == "ticket" {
				a = s.Sloth.ticket
			}
			if a != nil {
				conditions = append(conditions, conditionOf(s.Meta, s.Sloth.stem, w, *a))
			}
		}
		s.Policies = []PolicyRef{policyOf(s.Meta, conditions)}
	}
}

// slothForm are the keys of Sloth's files, and of its Kubernetes objects.
type slothForm struct {
	chain, errors, total, raw, page, ticket string
}

var (
	slothFile   = slothForm{"slo_plugins", "error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert"}
	slothObject = slothForm{"sloPlugins", "errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert"}
)

// slothDocument reads a file of Sloth's.
func (r *reader) slothDocument(o *document.Object, docs *Documents) {
	o.Ignore("version")
	r.slothSpec(o, slothFile, r.Errors(), docs)
	o.End()
}

// slothKubernetes reads an object of Sloth's operator.
func (r *reader) slothKubernetes(o *document.Object, kind string, docs *Documents) {
	o.Ignore("apiVersion", "kind", "metadata", "status")
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return
	}
	switch kind {
	case "PrometheusServiceLevel":
		before := r.Errors()
		r.kubernetesMeta(o) // the SLOs have names of their own; what stands wrong here is said
		r.slothSpec(spec, slothObject, before, docs)
		spec.End()
	case "AlertWindows":
		add(r, &docs.Windows, func() AlertWindows { return r.alertWindows(spec) })
	default:
		o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", kind), "Sloth has PrometheusServiceLevel and AlertWindows")
	}
	o.End()
}

func (r *reader) alertWindows(spec *document.Object) AlertWindows {
	w := AlertWindows{Meta: Meta{File: r.File, Line: spec.Line()}, Period: promDuration(spec, "sloPeriod")}
	for _, severity := range []string{"page", "ticket"} {
		group := spec.Object(severity, true)
		if group == nil {
			continue
		}
		for _, speed := range []string{"quick", "slow"} {
			one := group.Object(speed, true)
			if one == nil {
				continue
			}
			share, ok := one.Number("errorBudgetPercent")
			if !ok || share <= 0 {
				one.At("errorBudgetPercent").Problem("must be above 0", "give the share of the budget in percent, for example 2")
			}
			b := BurnWindow{Name: severity + "_" + speed, Severity: severity, Long: promDuration(one, "longWindow"), Short: promDuration(one, "shortWindow"), Factor: share / 100}
			if b.Short >= b.Long && b.Long > 0 {
				one.Problem("the short window is not shorter than the long one", "for example shortWindow: 5m and longWindow: 1h")
			}
			w.Windows = append(w.Windows, b)
			one.End()
		}
		group.End()
	}
	spec.End()
	w.Windows = scaled(w.Windows, w.Period)
	return w
}

// slothSpec reads the SLOs of a document; none is kept when what they share had a problem, of which there
// were as many as before without it.
func (r *reader) slothSpec(o *document.Object, form slothForm, before int, docs *Documents) {
	service, labels := o.Str("service", true), o.StrMap("labels")
	alerts := r.slothPlugins(o, form.chain, true)
	kept := &docs.SLOs
	if r.Errors() > before {
		kept = new([]SLO)
	}
	for _, n := range o.List("slos", true) {
		e := n.Object("slos")
		if e == nil {
			continue
		}
		add(r, kept, func() SLO { return r.slothSLO(e, form, service, labels, alerts) })
	}
}

// metricsQL is the plugin of Sloth's with which queries are checked as VictoriaMetrics reads them.
const metricsQL = "sloth.dev/contrib/validate_victoria_metrics/v1"

// slothPlugins reads a chain of plugins and answers whether alerts are still made: code that a plugin
// brings is not run, so what it would change must be named.
func (r *reader) slothPlugins(o *document.Object, key string, alerts bool) bool {
	p := o.Object(key, false)
	if p == nil {
		return alerts
	}
	if p.Boolean("overridePrevious", false) {
		alerts = false
	}
	for _, n := range p.List("chain", false) {
		e := n.Object(o.Join(key) + ".chain")
		if e == nil {
			continue
		}
		id := e.Str("id", true)
		e.Ignore("config", "priority")
		e.End()
		known := []string{
			"sloth.dev/core/alert_rules/v1", "sloth.dev/core/debug/v1", "sloth.dev/core/metadata_rules/v1", "sloth.dev/core/noop/v1", "sloth.dev/core/sli_rules/v1",
			"sloth.dev/core/validate/v1",
			"sloth.dev/contrib/info_labels/v1", "sloth.dev/contrib/rule_intervals/v1",
		}
		switch {
		case id == known[0]:
			alerts = true
		case id == metricsQL:
			e.At("id").Warning("queries of VictoriaMetrics may be more than PromQL", "what Prometheus' language does not have is refused: write it with histogram_quantile and the like")
		case id == "sloth.dev/contrib/denominator_corrected_rules/v1":
			e.At("id").Warning("this plugin weighs the errors of each window by its share of the traffic", "budgets count events here and need no correction; burn alerts go by each window's own ratio, so that with little traffic they fire earlier than Sloth's")
		case id == "", slices.Contains(known[:6], id):
		case slices.Contains(known, id):
			e.At("id").Warning(fmt.Sprintf("the plugin %s changes Sloth's recording rules, which are not made here", id), "nothing is lost: budgets and alerts do not need it")
		default:
			e.At("id").Problem(fmt.Sprintf("the plugin %s is code of Sloth's and is not run", id), "write what it changes into the SLO, and leave it out")
		}
	}
	p.End()
	return alerts
}

func (r *reader) slothSLO(o *document.Object, form slothForm, service string, labels map[string]string, alerts bool) SLO {
	name := o.Str("name", true)
	m := Meta{Name: service + "-" + name, DisplayName: name, File: r.File, Line: o.Line(), Labels: merged(labels, o.StrMap("labels"))}
	if !validName(m.Name) {
		o.At("name").Problem(fmt.Sprintf("the name %q is not usable", name), "use letters, digits, . _ and -, at most 120 with the service's")
	}
	s := SLO{Meta: m, Description: o.Str("description", false), Service: service, Window: slothPeriod, Method: Occurrences}
	s.Objectives = []Objective{{Target: percent(o, "objective"), SliceWindow: time.Minute, Line: m.Line}}
	if sli := o.Object("sli", true); sli != nil {
		s.Indicator = &SLI{Meta: Meta{Name: m.Name, File: r.File, Line: sli.Line()}, Ratio: r.slothSLI(sli, form)}
	}
	alerts = r.slothPlugins(o, "plugins", alerts)
	s.Sloth = &SlothAlerting{stem: alertStem(m.Name)}
	// What Sloth's recording rules carry is on its alerts too.
	base := merged(map[string]string{"sloth_id": m.Name, "sloth_slo": name, "sloth_service": service}, m.Labels)
	page, ticket := foreignAlert{name: s.Sloth.stem}, foreignAlert{name: s.Sloth.stem}
	pages, tickets := alerts, alerts
	if a := o.Object("alerting", false); a != nil {
		if own := a.Str("name", false); own != "" {
			page.name, ticket.name, s.Sloth.stem = own, own, alertStem(own)
		}
		s.Labels, s.Annotations = merged(s.Labels, a.StrMap("labels")), a.StrMap("annotations")
		pages = slothAlert(a, form.page, &page) && alerts
		tickets = slothAlert(a, form.ticket, &ticket) && alerts
		a.End()
	}
	if pages {
		s.Sloth.page = slothDefaults("page", base, s, page)
	}
	if tickets {
		s.Sloth.ticket = slothDefaults("ticket", base, s, ticket)
	}
	o.End()
	return s
}

// slothAlert reads what one severity has of its own; false when it is disabled.
func slothAlert(alerting *document.Object, key string, a *foreignAlert) bool {
	one := alerting.Object(key, false)
	if one == nil {
		return true
	}
	a.labels, a.annotations = one.StrMap("labels"), one.StrMap("annotations")
	wanted := !one.Boolean("disable", false)
	one.End()
	return wanted
}

// slothDefaults lays what Sloth puts on every alert under what the file says.
func slothDefaults(severity string, base map[string]string, s SLO, a foreignAlert) *foreignAlert {
	a.labels = merged(base, map[string]string{"sloth_severity": severity}, s.Labels, a.labels)
	a.annotations = merged(map[string]string{
		"title":   fmt.Sprintf("(%s) {{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is too fast.", severity),
		"summary": "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.",
	}, s.Annotations, a.annotations)
	return &a
}

func (r *reader) slothSLI(sli *document.Object, form slothForm) *Ratio {
	ratio := &Ratio{Counter: true}
	if ev := sli.Object("events", false); ev != nil {
		ratio.Bad, ratio.Total = query(ev, form.errors), query(ev, form.total)
		ev.End()
	}
	if raw := sli.Object("raw", false); raw != nil {
		ratio.Raw, ratio.RawType = query(raw, form.raw), "failure"
		// A ratio is read as it stands, over the shortest window it alerts on.
		text, err := promexpr.Expand(ratio.Raw.Query, "5m")
		if err != nil {
			raw.At(form.raw).Problem(err.Error(), "write {{.window}} where the window stands")
		}
		ratio.Raw.Query = text
		raw.End()
	}
	if sli.Has("plugin") {
		sli.Ignore("plugin")
		sli.At("plugin").Problem("plugins are code of Sloth's and are not run", "write the plugin's queries as events")
	} else if (ratio.Raw == nil) == (ratio.Total == nil) {
		sli.Problem("the SLI needs one of events and raw", fmt.Sprintf("give %s and %s under events, or %s under raw", form.errors, form.total, form.raw))
	}
	sli.End()
	return ratio
}
