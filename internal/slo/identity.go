package slo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// annotate lays what the file says over what the engine says. What others read figures from stays.
func (c *courier) annotate(text model.Labels, d *Definition, b BurnAlert, ls model.Labels, ratio float64, now time.Time) model.Labels {
	given, _ := definition.Carried(d.Annotations, b.Annotations)
	if b.Only {
		given, _ = definition.Carried(b.Annotations)
		for name, v := range given {
			given[name] = c.expand(name, v, ls, ratio, now)
		}
	}
	for name, v := range given {
		switch name {
		case "threshold", "link", "query":
			if text[name] != "" {
				continue
			}
		}
		text[name] = v
	}
	return text
}

// expand fills in a template of an imported annotation, as Prometheus does for the rules that the tool
// would have written.
func (c *courier) expand(name, text string, ls model.Labels, ratio float64, now time.Time) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	const head = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	base, err := url.Parse(c.url)
	if err != nil {
		base = &url.URL{}
	}
	query := func(context.Context, string, time.Time) (promql.Vector, error) {
		return nil, errors.New("queries are not answered in annotations of an SLO")
	}
	data := template.AlertTemplateData(ls, c.external, c.url, promql.Sample{F: ratio})
	out, err := template.NewTemplateExpander(context.Background(), head+text, "__alert_"+name, data, prom.TimeFromUnixNano(now.UnixNano()), query, base, nil).Expand()
	if err != nil {
		return fmt.Sprintf("<error expanding template: %v>", err)
	}
	return out
}
