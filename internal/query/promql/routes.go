package promql

import (
	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
)

// Routes are the endpoints of the API with the permission of each. What Prometheus' own code serves besides is shut.
func Routes() *front.Routes {
	rs := front.NewRoutes()
	both := func(path string, p access.Permission) {
		rs.Add("GET "+Prefix+path, p)
		rs.Add("POST "+Prefix+path, p)
	}
	for _, path := range []string{"/query", "/query_range", "/query_exemplars", "/format_query", "/parse_query", "/labels", "/series"} {
		both(path, access.MetricsRead)
	}
	get := func(p access.Permission, paths ...string) {
		for _, path := range paths {
			rs.Add("GET "+Prefix+path, p)
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
	rs.Add("POST "+Prefix+"/search/", access.MetricsRead)
	rs.Add("POST "+Prefix+"/read", access.MetricsRead)
	rs.Add("POST "+Prefix+"/write", access.TelemetryWrite)
	for _, path := range []string{"/admin/tsdb/delete_series", "/admin/tsdb/clean_tombstones", "/admin/tsdb/snapshot"} {
		rs.Add("POST "+Prefix+path, access.AdminStorage)
		rs.Add("PUT "+Prefix+path, access.AdminStorage)
	}
	return rs
}
