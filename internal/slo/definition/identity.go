package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
)

// What an alert is called, its labels and its annotations. Routes, silences and inhibitions go by
// the labels, so they are the same every time, and those of an imported SLO are its tool's.

// ownAnnotation is the prefix of annotations that configure; they are not for a reader.
const ownAnnotation = "signalbox.io/"

// Title is the alert's name.
func (b BurnAlert) Title() string {
	if b.Alert != "" {
		return b.Alert
	}
	return b.Name
}

// AlertLabels are what an alert of the SLO carries, for a row of its table.
func (d *Definition) AlertLabels(b BurnAlert) model.Labels {
	if b.Only {
		ls, _ := Carried(b.Labels)
		ls["alertname"] = b.Title()
		d.addGroup(ls, nil)
		d.identify(ls, b)
		return ls
	}
	ls, _ := Carried(d.Labels, b.Labels)
	own := d.ownLabels(b)
	maps.Copy(ls, own)
	d.addGroup(ls, own)
	return ls
}

// addGroup adds the labels of the group that the alert is of: without them two groups would be one alert. A group's service
// or environment is what routes go by, and the SLO's own stands where other rooms look for it; any other name that is taken is the group's
// with a prefix.
func (d *Definition) addGroup(ls, own model.Labels) {
	group, _ := Carried(d.groupLabels())
	for name, v := range group {
		had, taken := ls[name]
		switch {
		case !taken || had == v:
			ls[name] = v
		case own[name] == had && (name == "service" || name == "env"):
			ls[name], ls[model.OwnLabel+name] = v, had
		default:
			ls["group_"+name] = v
		}
	}
}

// ownLabels are those that every alert has which is not imported.
func (d *Definition) ownLabels(b BurnAlert) model.Labels {
	ls := model.Labels{"alertname": b.Title(), "slo": d.Whole(), "service": d.Service, "severity": b.Severity()}
	if b.Long > 0 {
		ls["long_window"], ls["short_window"] = budget.Window(time.Duration(b.Long)), budget.Window(b.ShortWindow())
	}
	if d.Notify != "" {
		ls["notify"] = d.Notify
	}
	if d.Environment != "" {
		ls["env"] = d.Environment
	}
	return ls
}

// identify adds to a tool's labels what the other rooms know an alert by, under names that no
// route of the tool's goes by.
func (d *Definition) identify(ls model.Labels, b BurnAlert) {
	for name, v := range map[string]string{"slo": d.Whole(), "service": d.Service, "severity": b.Severity()} {
		if ls[name] != v {
			ls[model.OwnLabel+name] = v
		}
	}
	if b.Long > 0 {
		ls[model.OwnLabel+"long_window"], ls[model.OwnLabel+"short_window"] = budget.Window(time.Duration(b.Long)), budget.Window(b.ShortWindow())
	}
}

// Carried lays labels or annotations over each other under names that every tool reads, and says
// which cannot be carried: two names that become one, and names that are reserved.
func Carried(from ...map[string]string) (out model.Labels, dropped []string) {
	all := map[string]string{}
	for _, m := range from {
		maps.Copy(all, m)
	}
	out = model.Labels{}
	// Names that are good already come first: they keep their value.
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if x, y := plainName(a) == a, plainName(b) == b; x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		plain, v := plainName(name), all[name]
		before, taken := out[plain]
		switch {
		case v == "" || strings.HasPrefix(name, ownAnnotation):
		case plain == "", strings.HasPrefix(plain, "__"), taken && before != v:
			dropped = append(dropped, name)
		default:
			out[plain] = v
		}
	}
	return out, dropped
}

// plainName is a name of letters, digits and _ only: app.kubernetes.io/team becomes app_kubernetes_io_team.
func plainName(name string) string {
	plain := strings.Map(func(c rune) rune {
		if c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '_'
	}, name)
	if plain != "" && plain[0] >= '0' && plain[0] <= '9' {
		plain = "_" + plain
	}
	return plain
}

// checkCarried warns of labels and annotations that do not reach the SLO's alerts.
func (r *resolver) checkCarried(d *Definition) {
	said := map[string]bool{}
	warn := func(what, why string, names ...string) {
		for _, name := range names {
			if said[what+name] {
				continue
			}
			said[what+name] = true
			r.problems = append(r.problems, Problem{
				File: d.File, Line: d.Line, Warning: true, Cure: "give it another name",
				Message: fmt.Sprintf("SLO %s: the %s %q does not reach its alerts: %s", d.Name, what, name, why),
			})
		}
	}
	const clash = "another becomes the same name, or the name is reserved"
	rows := d.BurnAlerts
	if rows == nil || d.extends {
		rows = append([]BurnAlert{{}}, rows...) // those of the configuration
	}
	for _, b := range rows {
		labels, annotations := d.Labels, d.Annotations
		if b.Only {
			labels, annotations = nil, nil
		}
		ls, dropped := Carried(labels, b.Labels)
		warn("label", clash, dropped...)
		for name, v := range d.ownLabels(b) {
			varies := name == "severity" || name == "alertname" || strings.HasSuffix(name, "_window")
			if given, has := ls[name]; has && !b.Only && name != "env" && (varies || given != v) {
				warn("label", "the alert's own label stands there", name)
			}
		}
		_, dropped = Carried(annotations, b.Annotations)
		warn("annotation", clash, dropped...)
	}
}
