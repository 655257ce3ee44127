package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/document"
)

// FaultKind names what goes wrong.
type FaultKind string

// The kinds of fault.
const (
	ErrorBurst     FaultKind = "error_burst"     // Service answers 500 to ErrorRate of its requests
	SlowDependency FaultKind = "slow_dependency" // every answer of Dependency takes Latency longer
	QueueBacklog   FaultKind = "queue_backlog"   // the consumers of Queue handle only Rate messages a second
	BadDeployment  FaultKind = "bad_deployment"  // Version of Service takes Share of the traffic, fails ErrorRate of it and is Latency slower
	PoolExhaustion FaultKind = "pool_exhaustion" // Service's outbound connection pool is full: calls wait Latency, ErrorRate of them in vain
)

func faultKinds() []string {
	return []string{string(ErrorBurst), string(SlowDependency), string(QueueBacklog), string(BadDeployment), string(PoolExhaustion)}
}

// Fault is one thing that goes wrong for a while. Which fields matter is said
// at the kinds; a zero field takes the kind's default.
type Fault struct {
	Name     string         `yaml:"name"`
	Kind     FaultKind      `yaml:"kind"`
	Start    model.Duration `yaml:"start"`    // after the simulator's start
	Duration model.Duration `yaml:"duration"` // 0: until the end
	Every    model.Duration `yaml:"every"`    // start again this long after each start; 0: once
	Ramp     model.Duration `yaml:"ramp"`     // pool_exhaustion: how long the pool takes to run full; harm comes then

	Service    string         `yaml:"service"`
	Region     string         `yaml:"region"` // "" is every region
	Route      string         `yaml:"route"`  // "" is every route
	ErrorRate  float64        `yaml:"error_rate"`
	Latency    model.Duration `yaml:"latency"`
	Version    string         `yaml:"version"`
	Share      float64        `yaml:"share"`
	Dependency string         `yaml:"dependency"` // a service or a database
	Queue      string         `yaml:"queue"`
	Rate       float64        `yaml:"rate"`
	Message    string         `yaml:"message"` // what the error log says

	free float64 // share of a filling pool that is still free; 0 when it is full
}

// LoadFaults reads a fault schedule: a YAML document with the one key faults. The error lists
// every problem, one a line.
func LoadFaults(path string) ([]Fault, error) {
	f, problem := document.Files{What: "fault file", Setting: "--faults", MaxBytes: 1 << 20}.Read(path)
	if problem != nil {
		return nil, document.Err([]document.Problem{*problem})
	}
	return ParseFaults(path, f.Text)
}

// ParseFaults reads what LoadFaults reads, from memory.
func ParseFaults(path string, text []byte) ([]Fault, error) {
	r, docs := document.Parse(path, text)
	var out []Fault
	for i, doc := range docs {
		if i > 0 {
			doc.Problem("", "a second YAML document: one file holds one schedule", "give it a file of its own")
			continue
		}
		o := doc.Object("")
		if o == nil {
			continue
		}
		for k, n := range o.List("faults", false) {
			var f Fault
			before, at := r.Errors(), fmt.Sprintf("faults[%d]", k)
			n.Decode(&f, at)
			f = f.withDefaults()
			if r.Errors() == before {
				r.Invalid(at, f.Validate())
			}
			out = append(out, f)
		}
		o.End()
	}
	return out, document.Err(r.Problems())
}

func (f Fault) withDefaults() Fault {
	switch f.Kind {
	case ErrorBurst:
		f.ErrorRate = orDefault(f.ErrorRate, 0.3)
	case SlowDependency:
		f.Latency = model.Duration(orDefault(time.Duration(f.Latency), 400*time.Millisecond))
	case QueueBacklog:
		f.Queue = orDefault(f.Queue, "layout-deployments")
	case BadDeployment:
		f.ErrorRate = orDefault(f.ErrorRate, 0.6)
		f.Share = orDefault(f.Share, 0.5)
	case PoolExhaustion:
		f.ErrorRate = orDefault(f.ErrorRate, 0.1)
		f.Latency = model.Duration(orDefault(time.Duration(f.Latency), 700*time.Millisecond))
	}
	f.Name = orDefault(f.Name, string(f.Kind))
	return f
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Validate returns every problem of the fault, each beginning with its field.
func (f Fault) Validate() []error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	oneOf := func(field, value string, allowed []string) {
		if !slices.Contains(allowed, value) {
			bad("%s: must be one of %s, got %q", field, strings.Join(allowed, ", "), value)
		}
	}
	oneOf("kind", string(f.Kind), faultKinds())
	switch f.Kind {
	case ErrorBurst, BadDeployment, PoolExhaustion:
		oneOf("service", f.Service, Services())
	case SlowDependency:
		oneOf("dependency", f.Dependency, append(Services(), databases()...))
	case QueueBacklog:
		oneOf("queue", f.Queue, queueNames())
	}
	if f.Kind == BadDeployment && f.Version == "" {
		bad("version: is required for bad_deployment")
	}
	if f.Region != "" {
		oneOf("region", f.Region, Regions())
	}
	share := func(field string, v float64) {
		if !(v >= 0 && v <= 1) { // so that NaN is out as well
			bad("%s: must be within 0 to 1, got %g", field, v)
		}
	}
	share("error_rate", f.ErrorRate)
	share("share", f.Share)
	if !(f.Rate >= 0) {
		bad("rate: must be >= 0 messages a second, got %g", f.Rate)
	}
	if f.Ramp > 0 && (f.Kind != PoolExhaustion || f.Duration > 0 && f.Ramp >= f.Duration) {
		bad("ramp: is for pool_exhaustion and must be shorter than duration (%s), got %s", f.Duration, f.Ramp)
	}
	if f.Every > 0 && (f.Duration == 0 || f.Duration >= f.Every) {
		bad("every: must be longer than duration (%s), got %s", f.Duration, f.Every)
	}
	return problems
}

// activeAt says whether a scheduled fault is on, elapsed after the start.
func (f Fault) activeAt(elapsed time.Duration) bool {
	since := elapsed - time.Duration(f.Start)
	if since < 0 {
		return false
	}
	if f.Every > 0 {
		since %= time.Duration(f.Every)
	}
	return f.Duration == 0 || since < time.Duration(f.Duration)
}

// at is the fault as it stands, elapsed after the start: a pool that runs full
// is not yet full.
func (f Fault) at(elapsed time.Duration) Fault {
	since := elapsed - time.Duration(f.Start)
	if f.Every > 0 {
		since %= time.Duration(f.Every)
	}
	if ramp := time.Duration(f.Ramp); since < ramp {
		f.free = 1 - since.Seconds()/ramp.Seconds()
	}
	return f
}

func databases() []string {
	names := map[string]bool{}
	for _, e := range endpoints() {
		if e.database != "" {
			names[e.database] = true
		}
	}
	var out []string
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func queueNames() []string {
	var out []string
	for _, q := range queues() {
		out = append(out, q.name)
	}
	return out
}
