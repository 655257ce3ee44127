package notify

import "github.com/signalbox-project/signalbox/internal/model"

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
