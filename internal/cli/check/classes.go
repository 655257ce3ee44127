package check

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/forecast"
	"github.com/signalbox-project/signalbox/internal/model"
)

// resourcePages warns of alerts that wake people because a resource is busy: work may page, resources at most warn, and pools
// that run out warn in time.
func resourcePages(set rules.Set) (out []string) {
	for _, f := range set {
		for _, g := range f.Groups.Groups {
			for _, r := range g.Rules {
				expr, err := rules.ParseExpr(r.Expr)
				if r.Alert == "" || err != nil || !model.Wakes(r.Labels["severity"]) {
					continue
				}
				if names := forecast.Resource(expr); len(names) > 0 {
					out = append(out, document.Problem{
						File: f.Path, Line: lineOf(f.Path, r.Alert), Warning: true,
						Message: fmt.Sprintf("%s wakes people by %s, which nobody feels by itself", r.Alert, strings.Join(names, ", ")),
						Cure:    "set severity: warning, and page on what users feel (errors, latency, an SLO); of what runs out, ask how long it lasts: signalbox rules pools",
					}.Error())
				}
			}
		}
	}
	return out
}

// lineOf is where an alert stands in its file, 0 if that is not plain.
func lineOf(path, alert string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	at := regexp.MustCompile(`(?m)^[ \t]*-?[ \t]*alert:[ \t]*["']?` + regexp.QuoteMeta(alert) + `["']?[ \t]*(#.*)?\r?$`).FindIndex(text)
	if at == nil {
		return 0
	}
	return strings.Count(string(text[:at[0]]), "\n") + 1
}
