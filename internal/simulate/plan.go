package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// op is one span to be: what happened, when (relative to the request's start)
// and how it ended. A plan is a tree of them.
type op struct {
	kind                     trace.SpanKind
	service, region, version string
	name, method, route      string
	status                   int    // HTTP status; 0 when there was none
	failure                  string // error.type; "" when all went well
	message                  string // what a failing service logs
	start, duration          time.Duration
	peer                     string // server.address of a client span
	database, queue          string
	resend                   int           // how many times this call was sent before
	degraded                 bool          // answered from a cache
	poolWait                 time.Duration // spent waiting for a connection
	children                 []*op
}

func (o *op) end() time.Duration { return o.start + o.duration }

// failed says whether the span's status is error: by OpenTelemetry's rule a
// server's 4xx is not.
func (o *op) failed() bool { return o.failure != "" }

// request is one broker's action, planned to the end. The same seed and
// sequence number under the same world give the same request.
type request struct {
	seq       uint64
	tenant    string
	user      string
	requestID string
	root      *op
}

// world is what a plan depends on besides the random numbers. It is a value:
// planning never changes it.
type world struct {
	errorRate float64
	faults    []Fault           // those that are on
	versions  map[string]string // rolled out over the stable ones, by service
}

// planner turns random numbers into requests. It keeps no state between plans.
type planner struct {
	seed      uint64
	endpoints map[string]endpoint
}

func newPlanner(seed uint64) planner { return planner{seed: seed, endpoints: endpoints()} }

// plan makes the seq-th request.
func (p planner) plan(seq uint64, w world) request {
	rng := rand.New(rand.NewPCG(p.seed, seq))
	region := pick(rng, regionShares())
	req := request{
		seq:       seq,
		tenant:    pick(rng, tenantShares()),
		user:      fmt.Sprintf("broker-%04d", rng.IntN(4000)),
		requestID: fmt.Sprintf("req-%08x%04x", rng.Uint32(), seq&0xffff),
	}
	t := trip{planner: p, rng: rng, world: w}
	req.root = t.serve(pick(rng, entryPoints()), region, 0)
	return req
}

// consume plans the handling of one message of queue q.
func (p planner) consume(seq uint64, q queue, region string, w world) *op {
	t := trip{planner: p, rng: rand.New(rand.NewPCG(p.seed^0x9e3779b97f4a7c15, seq)), world: w}
	return t.consume(q, region)
}

// trip is the planning of one request.
type trip struct {
	planner
	rng   *rand.Rand
	world world
}

// serve plans the handling of one HTTP request from its arrival at the time at.
func (t trip) serve(key, region string, at time.Duration) *op {
	ep := t.endpoints[key]
	o := &op{
		kind: trace.SpanKindServer, service: ep.service, region: region, version: t.world.version(t.rng, ep.service, region),
		name: ep.method + " " + ep.path, method: ep.method, route: ep.path, status: http.StatusOK, start: at,
	}
	eff := t.world.effect(ep.service, region, o.version, ep.path)
	own := t.draw(ep.own) + eff.slower
	at += own / 2
	switch u := t.rng.Float64(); {
	case u < eff.errorRate:
		o.status, o.failure, o.message = http.StatusInternalServerError, "500", eff.message
	case u < eff.errorRate+ep.notFound:
		o.status = http.StatusNotFound
	case u < eff.errorRate+ep.notFound+ep.denied:
		o.status = http.StatusForbidden
	}
	if ep.database != "" {
		at = t.query(o, ep, at)
	}
	for _, c := range ep.calls {
		if o.status != http.StatusOK || t.rng.Float64() >= c.share {
			continue
		}
		at = t.call(o, c, eff, at)
	}
	if ep.publish != "" && o.status == http.StatusOK {
		at = t.publish(o, ep.publish, at)
	}
	o.duration = at + own - own/2 - o.start
	return o
}

func (t trip) query(o *op, ep endpoint, at time.Duration) time.Duration {
	d := t.draw(ep.query) + t.world.slowness(ep.database, o.region)
	o.children = append(o.children, &op{
		kind: trace.SpanKindClient, service: o.service, region: o.region, version: o.version,
		name: "SELECT " + ep.database, database: ep.database, peer: ep.database + "." + o.region, start: at, duration: d,
	})
	return at + d
}

func (t trip) publish(o *op, queueName string, at time.Duration) time.Duration {
	d := t.draw(latency{ms(3), 0.4, 0.002, 10})
	o.children = append(o.children, &op{
		kind: trace.SpanKindProducer, service: o.service, region: o.region, version: o.version,
		name: "publish " + queueName, queue: queueName, start: at, duration: d,
	})
	return at + d
}

// call plans a downstream call with one retry; a call that fails twice is
// answered from a cache or fails the caller with 502.
func (t trip) call(o *op, c call, eff effect, at time.Duration) time.Duration {
	target, remote := c.to, false
	region := o.region
	if c.crossRegion > 0 && t.rng.Float64() < c.crossRegion {
		target, remote = c.toRemote, true
		region = otherRegion(t.rng, region)
	}
	for attempt := range 2 {
		client := t.attempt(o, target, region, remote, eff, at)
		client.resend = attempt
		o.children = append(o.children, client)
		at = client.end()
		if !client.failed() {
			return at
		}
		at += ms(15 + 20*t.rng.Float64())
	}
	if t.rng.Float64() < c.fallback {
		o.degraded = true
		return at
	}
	last := o.children[len(o.children)-1]
	o.status, o.failure = http.StatusBadGateway, "502"
	o.message = last.peer + " failed twice: " + last.failureText()
	return at
}

func (o *op) failureText() string {
	if o.message != "" {
		return o.message
	}
	return "status " + o.failure
}

func (t trip) attempt(o *op, target, region string, remote bool, eff effect, at time.Duration) *op {
	ep := t.endpoints[target]
	client := &op{
		kind: trace.SpanKindClient, service: o.service, region: o.region, version: o.version,
		name: ep.method, method: ep.method, peer: ep.service, start: at,
	}
	if eff.poolWait > 0 {
		client.poolWait = time.Duration(float64(eff.poolWait) * (0.5 + t.rng.ExpFloat64()/2))
		if t.rng.Float64() < eff.poolErrors {
			client.duration = client.poolWait
			client.failure, client.message = "pool_timeout", "timed out waiting for a free outbound connection"
			return client
		}
	}
	network := t.draw(latency{ms(0.7), 0.5, 0.004, 10})
	if remote {
		network += ms(74 + 30*t.rng.Float64())
	}
	server := t.serve(target, region, at+client.poolWait+network/2)
	client.children = []*op{server}
	client.duration = client.poolWait + network + server.duration
	client.status = server.status
	if server.status >= 400 {
		client.failure = fmt.Sprint(server.status)
	}
	if server.status >= 400 && server.status < 500 { // the caller's business, not a fault
		client.failure = ""
	}
	client.message = server.message
	return client
}

// consume plans the handling of a message from the moment it is taken.
func (t trip) consume(q queue, region string) *op {
	o := &op{
		kind: trace.SpanKindConsumer, service: q.consumer, region: region, version: t.world.version(t.rng, q.consumer, region),
		name: "process " + q.name, queue: q.name,
	}
	eff := t.world.effect(q.consumer, region, o.version, q.name)
	work := t.draw(q.work)
	at := work / 2
	failing := op{status: http.StatusOK, service: o.service, region: region, version: o.version}
	for _, c := range q.calls {
		at = t.call(&failing, c, eff, at)
	}
	o.children = failing.children
	o.failure, o.message = failing.failure, failing.message
	if o.failure != "" {
		o.failure = "processing_failed"
	}
	o.duration = at + work - work/2
	return o
}

// draw takes one duration from l, at least 10 µs.
func (t trip) draw(l latency) time.Duration {
	d := float64(l.median) * math.Exp(l.sigma*t.rng.NormFloat64())
	if t.rng.Float64() < l.tail {
		d *= l.slow * (0.6 + 0.8*t.rng.Float64())
	}
	return max(time.Duration(d), 10*time.Microsecond)
}

func pick(rng *rand.Rand, choices []weighted) string {
	u := rng.Float64()
	for _, c := range choices {
		if u -= c.share; u < 0 {
			return c.name
		}
	}
	return choices[0].name
}

func otherRegion(rng *rand.Rand, region string) string {
	all := Regions()
	for {
		if r := all[rng.IntN(len(all))]; r != region {
			return r
		}
	}
}
