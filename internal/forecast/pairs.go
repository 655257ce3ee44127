package forecast

import (
	"regexp"
	"slices"
	"strings"
)

// Pair is a pool: how much of it is used, of how much.
type Pair struct {
	Pool  string `json:"pool"`  // what it is, in words
	Used  string `json:"used"`  // PromQL
	Limit string `json:"limit"` // PromQL, with the labels of Used
	Named bool   `json:"named"` // found by the names alone
}

// known is a pair of the table, and the metrics that must be there for it.
type known struct {
	Pair
	needs []string
}

// real are file systems that fill up.
const real = `{fstype!~"tmpfs|devtmpfs|overlay|squashfs|ramfs|iso9660|nsfs|proc.*|sys.*|cgroup.*"}`

// table is what exporters publish. Of each, Used and Limit have the same labels.
func table() []known {
	pair := func(pool, used, limit string, needs ...string) known {
		return known{Pair{Pool: pool, Used: used, Limit: limit}, needs}
	}
	plain := func(pool, used, limit string) known { return pair(pool, used, limit, used, limit) }
	return []known{
		// node_exporter
		pair("disk space", "node_filesystem_size_bytes"+real+" - node_filesystem_avail_bytes"+real, "node_filesystem_size_bytes"+real, "node_filesystem_size_bytes", "node_filesystem_avail_bytes"),
		pair("inodes", "node_filesystem_files"+real+" - node_filesystem_files_free"+real, "node_filesystem_files"+real, "node_filesystem_files", "node_filesystem_files_free"),
		pair("memory of a node", "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"),
		plain("file descriptors of a node", "node_filefd_allocated", "node_filefd_maximum"),
		plain("tracked connections", "node_nf_conntrack_entries", "node_nf_conntrack_entries_limit"),
		// every Prometheus client
		plain("file descriptors", "process_open_fds", "process_max_fds"),
		// kubelet, kube-state-metrics
		plain("persistent volume", "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"),
		plain("inodes of a persistent volume", "kubelet_volume_stats_inodes_used", "kubelet_volume_stats_inodes"),
		pair("memory of a container", `sum by (namespace, pod, container) (container_memory_working_set_bytes{container!="",container!="POD"})`, `sum by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"})`, "container_memory_working_set_bytes", "kube_pod_container_resource_limits"),
		pair("resource quota", `sum by (namespace, resourcequota, resource) (kube_resourcequota{type="used"})`, `sum by (namespace, resourcequota, resource) (kube_resourcequota{type="hard"})`, "kube_resourcequota"),
		plain("replicas of an autoscaler", "kube_horizontalpodautoscaler_status_current_replicas", "kube_horizontalpodautoscaler_spec_max_replicas"),
		// databases and caches
		pair("connections of PostgreSQL", "sum by (job, instance) (pg_stat_database_numbackends)", "max by (job, instance) (pg_settings_max_connections)", "pg_stat_database_numbackends", "pg_settings_max_connections"),
		plain("connections of MySQL", "mysql_global_status_threads_connected", "mysql_global_variables_max_connections"),
		plain("memory of Redis", "redis_memory_used_bytes", "redis_memory_max_bytes"),
		plain("clients of Redis", "redis_connected_clients", "redis_config_maxclients"),
		plain("sessions of HAProxy", "haproxy_frontend_current_sessions", "haproxy_frontend_limit_sessions"),
		// runtimes and OpenTelemetry's conventions
		plain("connection pool", "hikaricp_connections_active", "hikaricp_connections_max"),
		plain("threads of Tomcat", "tomcat_threads_busy_threads", "tomcat_threads_config_max_threads"),
		pair("connection pool", `sum without (state) (db_client_connections_usage{state="used"})`, "db_client_connections_max", "db_client_connections_usage", "db_client_connections_max"),
		pair("connection pool", `sum without (db_client_connection_state, state) (db_client_connection_count{db_client_connection_state="used"})`, "db_client_connection_max", "db_client_connection_count", "db_client_connection_max"),
		pair("disk space", `sum without (state, system_filesystem_state) (system_filesystem_usage_bytes{state!="free",system_filesystem_state!="free"})`, "sum without (state, system_filesystem_state) (system_filesystem_usage_bytes)", "system_filesystem_usage_bytes"),
	}
}

var (
	// usedRE is the word of a name that says how much is used.
	usedRE = regexp.MustCompile(`(^|_)(in_use|used|usage|active|open|busy|allocated|current|connected)(_|$)`)
	// limits are the words that stand in its place in the name of the limit, the clearest first.
	limits = []string{"limit", "max", "maximum", "capacity", "quota", "allocated", "total", "size"}
	// notGauge ends names that count up, or belong to a histogram.
	plainRE  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`) // others need quotes, and those with a colon are recorded
	notGauge = regexp.MustCompile(`(_total|_count|_sum|_bucket|_created|_info)$`)
)

// Find pairs the metrics of these names. Those that say how much is used of something and have no partner are named, too.
func Find(names []string) (pairs []Pair, alone []string) {
	there, taken := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		there[n] = true
	}
	for _, k := range table() {
		if !slices.ContainsFunc(k.needs, func(n string) bool { return !there[n] }) {
			pairs = append(pairs, k.Pair)
			for _, n := range k.needs {
				taken[n] = true
			}
		}
	}
	for _, used := range slices.Sorted(slices.Values(names)) {
		if taken[used] || notGauge.MatchString(used) || !plainRE.MatchString(used) {
			continue
		}
		m := usedRE.FindStringSubmatchIndex(used)
		if m == nil {
			continue
		}
		if limit := partner(used, m, there); limit != "" {
			pairs = append(pairs, Pair{Pool: words(used, m), Used: used, Limit: limit, Named: true})
		} else if word := used[m[4]:m[5]]; word == "used" || word == "in_use" || word == "usage" {
			alone = append(alone, used)
		}
	}
	return pairs, alone
}

// partner is the metric whose name has a word of a limit where the other's has one of use.
func partner(used string, m []int, there map[string]bool) string {
	word := used[m[4]:m[5]]
	for _, limit := range limits {
		if limit == word {
			continue
		}
		for _, name := range []string{
			used[:m[4]] + limit + used[m[5]:],             // pool_used_bytes, pool_limit_bytes
			strings.Trim(cut(used, m), "_") + "_" + limit, // pool_used, pool_max; used_ports, ports_max
			limit + "_" + strings.Trim(cut(used, m), "_"), // used_ports, max_ports
			used + "_" + limit,                            // pool_used, pool_used_max
		} {
			if name != used && there[name] && plainRE.MatchString(name) {
				return name
			}
		}
	}
	return ""
}

// cut is a name without its word of use.
func cut(used string, m []int) string {
	return strings.ReplaceAll(used[:m[4]]+used[m[5]:], "__", "_")
}

func words(used string, m []int) string {
	if text := strings.ReplaceAll(strings.Trim(cut(used, m), "_"), "_", " "); text != "" {
		return text
	}
	return used
}
