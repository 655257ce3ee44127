package notify

import "github.com/signalbox-project/signalbox/internal/model"

// WithExternal adds the external labels that an alert does not have itself, as Prometheus does: for rules and
// SLOs alike, live and in a backtest, so that one routing fits all of them. It changes labels and answers them.
func WithExternal(labels, external map[string]string) model.Labels {
	for k, v := range external {
		if labels[k] == "" {
			labels[k] = v
		}
	}
	return labels
}

// Spread makes of an alert whose labels have lists one for each environment, team and so on: a
// route matches one value.
func Spread(a Alert) (out []Alert) {
	for _, ls := range model.Spread(a.Labels) {
		one := a
		one.Labels = ls
		out = append(out, one)
	}
	return out
}
