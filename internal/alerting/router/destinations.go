package router

import (
	"github.com/prometheus/alertmanager/dispatch"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// Destinations answers where the routing tree in force at the call sends an
// alert: each receiver with the labels it groups by. Silences and inhibition are not
// considered. The answered function is safe for concurrent use.
func (r *Router) Destinations() func(model.Labels) []notify.Destination {
	tree := dispatch.NewRoute(r.Config().Route, nil)
	return func(ls model.Labels) []notify.Destination {
		set := make(prommodel.LabelSet, len(ls))
		for k, v := range ls {
			set[prommodel.LabelName(k)] = prommodel.LabelValue(v)
		}
		var out []notify.Destination
		for _, route := range tree.Match(set) {
			d := notify.Destination{Receiver: route.RouteOpts.Receiver, Group: model.Labels{}}
			for k, v := range ls {
				if _, by := route.RouteOpts.GroupBy[prommodel.LabelName(k)]; by || route.RouteOpts.GroupByAll {
					d.Group[k] = v
				}
			}
			out = append(out, d)
		}
		return out
	}
}
