package simulate

import "time"

// The services of the model, as service.name spells them.
const (
	Edge          = "edge"
	Layout        = "layout"
	AccessControl = "access-control"
	Deployment    = "deployment"
	FileServer    = "file-server"
	EventBus      = "event-bus"
)

// Namespace and Environment are service.namespace and
// deployment.environment.name of everything the model sends.
const (
	Namespace   = "broker"
	Environment = "prod"
)

// Services lists the request-serving services, the front door first.
func Services() []string { return []string{Edge, Layout, AccessControl, Deployment, FileServer} }

// Regions lists the regions, the busiest first.
func Regions() []string { return []string{"eu-1", "us-2", "ap-1"} }

// StableVersion is what a service runs in a region when nothing is rolled
// out. Two regions lag one release behind, as staggered roll-outs do.
func StableVersion(service, region string) string {
	switch {
	case service == Layout && region == "ap-1":
		return "3.11.4"
	case service == FileServer && region == "us-2":
		return "4.1.1"
	}
	return map[string]string{
		Edge: "2.4.1", Layout: "3.12.0", AccessControl: "1.9.4",
		Deployment: "2.0.7", FileServer: "4.1.2", EventBus: "3.6.0",
	}[service]
}

// weighted is one choice with its share; shares of one list sum to 1.
type weighted struct {
	name  string
	share float64
}

func regionShares() []weighted {
	return []weighted{{"eu-1", 0.5}, {"us-2", 0.3}, {"ap-1", 0.2}}
}

func tenantShares() []weighted {
	return []weighted{
		{"northwind-securities", 0.34},
		{"meridian-brokers", 0.24},
		{"kestrel-capital", 0.17},
		{"harbour-trading", 0.13},
		{"oakline-wealth", 0.08},
		{"pilot-desk", 0.04},
	}
}

// latency is a log-normal distribution with a second, slow mode: tail of the
// draws take slow times as long.
type latency struct {
	median time.Duration
	sigma  float64 // of the natural logarithm
	tail   float64
	slow   float64
}

// endpoint is one HTTP route of a service and what serving it takes.
type endpoint struct {
	service, method, path string

	own      latency
	notFound float64 // share answered 404
	denied   float64 // share answered 403

	database string // "" for none; one query before the downstream calls
	query    latency

	calls   []call
	publish string // queue that gets a message when all went well
}

// call is a downstream request of an endpoint.
type call struct {
	to          string  // key of endpoints
	share       float64 // of requests that make this call
	crossRegion float64 // share that goes to another region, by toRemote
	toRemote    string
	fallback    float64 // share of failures that are answered from a cache
}

// queue is one queue of the event bus and what consuming a message takes.
type queue struct {
	name     string
	consumer string // service
	work     latency
	calls    []call
	deploys  bool // finishing a message finishes a layout deployment
}

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// entryPoints are the requests that brokers' desktops send, by share.
func entryPoints() []weighted {
	return []weighted{
		{"edge.open", 0.46},
		{"edge.list", 0.13},
		{"edge.file", 0.12},
		{"edge.login", 0.10},
		{"edge.save", 0.08},
		{"edge.deployment", 0.06},
		{"edge.deploy", 0.05},
	}
}

// authorise is a call of the front door that is never answered from a cache
// but retried.
func authorise() call { return call{to: "access.authorize", share: 1, fallback: 0.6} }

func edgeEndpoints() map[string]endpoint {
	work := latency{ms(4), 0.45, 0.004, 30}
	return map[string]endpoint{
		"edge.open": {service: Edge, method: "GET", path: "/layouts/{id}", own: work, notFound: 0.001, calls: []call{
			authorise(), {to: "layout.get", share: 1, crossRegion: 0.18, toRemote: "layout.getRemote", fallback: 0.9},
		}},
		"edge.list": {service: Edge, method: "GET", path: "/layouts", own: work, calls: []call{
			authorise(), {to: "layout.list", share: 1, fallback: 0.9},
		}},
		"edge.file": {service: Edge, method: "GET", path: "/files/{id}", own: work, notFound: 0.004, calls: []call{
			authorise(), {to: "file.get", share: 1, fallback: 0.9},
		}},
		"edge.login": {service: Edge, method: "POST", path: "/sessions", own: work, calls: []call{
			{to: "access.session", share: 1, fallback: 0.5},
		}},
		"edge.save": {service: Edge, method: "POST", path: "/layouts/{id}/revisions", own: work, calls: []call{
			authorise(), {to: "layout.save", share: 1, fallback: 0.8},
		}},
		"edge.deployment": {service: Edge, method: "GET", path: "/deployments/{id}", own: work, notFound: 0.002, calls: []call{
			authorise(), {to: "deployment.get", share: 1, fallback: 0.9},
		}},
		"edge.deploy": {service: Edge, method: "POST", path: "/deployments", own: work, calls: []call{
			authorise(), {to: "deployment.post", share: 1, fallback: 0.8},
		}},
	}
}

func backendEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"layout.get": {
			service: Layout, method: "GET", path: "/layouts/{id}", own: latency{ms(24), 0.55, 0.018, 14}, notFound: 0.0015,
			database: "layout-db", query: latency{ms(14), 0.55, 0.004, 15},
			calls: []call{{to: "file.get", share: 0.7, fallback: 0.95}},
		},
		"layout.getRemote": {
			service: Layout, method: "GET", path: "/remote/layouts/{id}", own: latency{ms(34), 0.55, 0.02, 18}, notFound: 0.0015,
			database: "layout-db", query: latency{ms(14), 0.55, 0.004, 15},
			calls: []call{{to: "file.get", share: 0.7, crossRegion: 1, toRemote: "file.get", fallback: 0.95}},
		},
		"layout.list": {
			service: Layout, method: "GET", path: "/layouts", own: latency{ms(16), 0.5, 0.004, 10},
			database: "layout-db", query: latency{ms(30), 0.5, 0.006, 10},
		},
		"layout.save": {
			service: Layout, method: "POST", path: "/layouts/{id}/revisions", own: latency{ms(18), 0.45, 0.004, 10},
			database: "layout-db", query: latency{ms(22), 0.5, 0.006, 10}, publish: "layout-changes",
		},
		"access.authorize": {
			service: AccessControl, method: "POST", path: "/authorize", own: latency{ms(7), 0.5, 0.036, 20}, denied: 0.002,
			database: "access-db", query: latency{ms(4), 0.5, 0.004, 10},
		},
		"access.session": {
			service: AccessControl, method: "POST", path: "/sessions", own: latency{ms(38), 0.4, 0.004, 6}, denied: 0.01,
			database: "access-db", query: latency{ms(9), 0.5, 0.004, 10},
		},
		"deployment.get": {
			service: Deployment, method: "GET", path: "/deployments/{id}", own: latency{ms(9), 0.4, 0.004, 10},
			database: "deployment-db", query: latency{ms(8), 0.5, 0.004, 10},
		},
		"deployment.post": {
			service: Deployment, method: "POST", path: "/deployments", own: latency{ms(26), 0.5, 0.006, 10},
			database: "deployment-db", query: latency{ms(18), 0.5, 0.006, 10},
			calls: []call{{to: "layout.get", share: 1, fallback: 0.5}}, publish: "layout-deployments",
		},
		"file.get": {
			service: FileServer, method: "GET", path: "/files/{id}", own: latency{ms(28), 0.6, 0.02, 20}, notFound: 0.001,
		},
		"file.store": {
			service: FileServer, method: "POST", path: "/files", own: latency{ms(45), 0.55, 0.006, 8},
		},
	}
}

func endpoints() map[string]endpoint {
	all := edgeEndpoints()
	for k, e := range backendEndpoints() {
		all[k] = e
	}
	return all
}

func queues() []queue {
	return []queue{
		{
			name: "layout-changes", consumer: FileServer, work: latency{ms(35), 0.5, 0.004, 8},
		},
		{
			name: "layout-deployments", consumer: Deployment, work: latency{ms(60), 0.5, 0.006, 8}, deploys: true,
			calls: []call{{to: "file.store", share: 1, fallback: 0.9}},
		},
	}
}

// DeploymentDeadline is what a layout deployment may take.
const DeploymentDeadline = 5 * time.Minute

// deploymentTime is how long a layout deployment takes to reach every desktop.
func deploymentTime() latency { return latency{48 * time.Second, 0.45, 0.006, 7} }

// ServerBounds are the histogram buckets of http.server.request.duration, in
// seconds: those that the SLOs name (0.1, 0.3, 0.5, 0.6, 1) are bounds.
func ServerBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 2.5, 5, 10}
}

func clientBounds() []float64 { return []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5} }

// DeploymentBounds are the buckets of layout.deployment.duration, in seconds.
func DeploymentBounds() []float64 { return []float64{15, 30, 60, 120, 300, 600} }
