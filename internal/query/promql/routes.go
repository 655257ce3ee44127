package promql

import (
	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
)

// FederationRoutes is the endpoint of federation with its permission.
func FederationRoutes() *front.Routes {
	return front.NewRoutes(front.Route{Pattern: "GET " + FederationPath, Permission: access.MetricsRead, Work: front.Question})
}

// Routes are the endpoints of the API with the permission of each. What Prometheus' own code serves besides is shut.
func Routes() *front.Routes {
	rs := front.NewRoutes()
	add := func(method, path string, p access.Permission, w front.Work) {
		rs.Add(front.Route{Pattern: method + " " + Prefix + path, Permission: p, Work: w})
	}
	for _, path := range []string{"/query", "/query_range", "/query_exemplars", "/labels", "/series"} {
		add("GET", path, access.MetricsRead, front.Question)
		add("POST", path, access.MetricsRead, front.Question)
	}
	for _, path := range []string{"/format_query", "/parse_query"} {
		add("GET", path, access.MetricsRead, front.Light)
		add("POST", path, access.MetricsRead, front.Light)
	}
	get := func(p access.Permission, paths ...string) {
		for _, path := range paths {
			add("GET", path, p, front.Light)
		}
	}
	get(access.MetricsRead, "/label/{name}/values", "/metadata", "/openapi.yaml", "/search/")
	get(access.AlertsRead, "/alerts", "/rules", "/alertmanagers")
	get(access.ProbesRead, "/scrape_pools", "/scrape_pools/config", "/targets", "/targets/metadata", "/targets/relabel_steps")
	get(access.ConfigRead, "/status/config", "/status/flags")
	get(access.SystemRead, "/status/runtimeinfo", "/status/tsdb", "/status/tsdb/blocks", "/status/self_metrics", "/status/walreplay",
		"/notifications", "/notifications/live")
	// Grafana and Thanos ask these to learn whom they speak to.
	get(access.Anybody, "/status/buildinfo", "/features")
	add("POST", "/search/", access.MetricsRead, front.Light)
	add("POST", "/read", access.MetricsRead, front.Question)
	add("POST", "/write", access.TelemetryWrite, front.Light)
	for _, path := range []string{"/admin/tsdb/delete_series", "/admin/tsdb/clean_tombstones", "/admin/tsdb/snapshot"} {
		add("POST", path, access.AdminStorage, front.Light)
		add("PUT", path, access.AdminStorage, front.Light)
	}
	return rs
}
