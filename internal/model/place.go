package model

import (
	"maps"
	"slices"
	"strings"
)

// Listed are the values of a label. Documents may give a list, which is kept joined by commas:
// "prod,staging". A text with a space beside a comma, or with an empty part, is a sentence and stays whole.
func Listed(text string) []string {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	if slices.ContainsFunc(parts, func(p string) bool { return p == "" || strings.TrimSpace(p) != p }) {
		return []string{text}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// environmentLabels are the names under which labels say where something runs: ours, OpenSLO's
// habit, and OpenTelemetry's as Prometheus writes them.
func environmentLabels() []string {
	return []string{"env", "environment", "deployment_environment", "deployment_environment_name", "deployment.environment", "deployment.environment.name"}
}

// Environments are those that labels name, joined by commas; "" means every one. This is the one
// rule for SLOs, alerts, the gate, rollbacks, reports and diagnosis: each value of each such
// label counts.
func Environments(labels map[string]string) string {
	var all []string
	for _, name := range environmentLabels() {
		all = append(all, Listed(labels[name])...)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// SameEnvironment reports whether what concerns the environments a also concerns some of b; ""
// is every one.
func SameEnvironment(a, b string) bool {
	if a == "" || b == "" {
		return true
	}
	others := Listed(b)
	return slices.ContainsFunc(Listed(a), func(one string) bool { return slices.Contains(others, one) })
}

// maxSpread bounds how many alerts one becomes.
const maxSpread = 16

// Spread makes of labels with lists one set for each combination of their values, so that
// routes match each of them. Labels with so many values that it would be more than 16 stay lists.
func Spread(ls Labels) []Labels {
	out := []Labels{ls}
	for _, name := range slices.Sorted(maps.Keys(ls)) {
		values := Listed(ls[name])
		if len(values) < 2 || len(out)*len(values) > maxSpread {
			continue
		}
		var next []Labels
		for _, one := range out {
			for _, v := range values {
				each := maps.Clone(one)
				each[name] = v
				next = append(next, each)
			}
		}
		out = next
	}
	return out
}
