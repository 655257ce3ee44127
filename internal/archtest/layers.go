package archtest

import "strings"

// rooms lists every room and its layer, low to high. A package imports
// packages of strictly lower layers and of its own room. The longest matching prefix
// counts; a package in no room fails the test.
func rooms() map[string]int {
	return map[string]int{
		"internal/model": 0, "internal/platform": 0,
		"internal/access":     0,                                               // who may do what, in words
		"internal/instrument": 0,                                               // the logger and the registry of every constructor
		"internal/store":      1, "internal/stream": 1, "internal/evidence": 1, // the contracts; engines below are one higher
		"internal/notify":    1,
		"internal/document":  1, // files in force: one strict reader, problems, catalog
		"internal/telemetry": 1,
		"internal/front":     1,
		"internal/budget":    1, "internal/expression": 1, // arithmetic for all who count with budgets; PromQL from outside, within bounds
		"internal/outgoing":      1,                             // the one way out over HTTP
		"internal/seal":          1,                             // how secrets are kept; what seals is one higher
		"internal/store/numbers": 1, "internal/mask/pattern": 1, // what a number in a label is, and what personal data looks like: for intakes, stores and who masks

		"internal/store/":  2,
		"internal/stream/": 2,
		"internal/ingest":  2,
		"internal/admit":   2,
		"internal/notify/": 2, "internal/notify/inbound": 3,
		"internal/seal/": 2,

		"internal/auth":      2,                     // who asks, and what they may
		"internal/ownership": 2,                     // to whom services belong
		"internal/audit":     2, "internal/mask": 2, // what of telemetry a caller does not see
		"internal/cause": 2, // pure: what several domain rooms conclude with

		"internal/process":  3,
		"internal/query":    3,
		"internal/slo":      3,
		"internal/alerting": 3,
		"internal/oncall":   3,
		"internal/catalog":  3, "internal/runbook": 3, // services, whose they are, and what to do
		"internal/gate":     3,
		"internal/remedy":   3,
		"internal/forecast": 3,
		"internal/probe":    3,
		"internal/drill":    3,
		"internal/cost":     3,
		"internal/simulate": 3,
		"internal/bench":    3, "internal/retention": 3,

		// Compositions of several domain rooms.
		"internal/diagnose": 4, "internal/incident": 4, "internal/statuspage": 4,
		"internal/backtest": 4,
		"internal/report":   4,

		"internal/api":   5,
		"internal/webui": 5,
		"internal/demo":  5,

		"internal/config": 6, // of every section, the API's too

		"internal/app": 7,

		"internal/cli": 8, "cmd": 9,

		"examples": 0, "internal/archtest": 10, "test": 10,
	}
}

// layerOf finds the room and the layer of a package path inside the module.
func layerOf(pkg string) (room string, layer int, ok bool) {
	best := ""
	for prefix, l := range rooms() {
		below := strings.HasSuffix(prefix, "/") && strings.HasPrefix(pkg, prefix)
		if !below && pkg != prefix && !strings.HasPrefix(pkg, prefix+"/") {
			continue
		}
		if len(prefix) > len(best) {
			best, layer, ok = prefix, l, true
		}
	}
	return roomName(best, pkg), layer, ok
}

// roomName is the folder whose packages belong together: internal/store/events
// for internal/store/events/wal, internal/slo for internal/slo/openslo.
func roomName(prefix, pkg string) string {
	parts := strings.Split(pkg, "/")
	n := len(strings.Split(strings.TrimSuffix(prefix, "/"), "/"))
	if deepRoom(prefix) && len(parts) > n {
		n++
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// deepRoom names the folders whose children are rooms of their own.
func deepRoom(prefix string) bool {
	switch prefix {
	case "internal/store/", "internal/stream/", "internal/notify/", "internal/ingest", "internal/process",
		"internal/query", "internal/platform", "test":
		return true
	}
	return false
}
