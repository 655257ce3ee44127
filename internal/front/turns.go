package front

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/turns"
)

// TurnsConfig is how work is divided among tenants. Without tenants there is nothing to divide, and it does not apply.
type TurnsConfig struct {
	// Questions are queries, searches, SQL, reports and backtests that are answered at once beside one of each tenant; 0 is 4 for each CPU.
	Questions int `yaml:"questions"`
	// Writes are requests that bring telemetry, counted once they have arrived, that are worked on at once beside one of each tenant; 0 is 16 for each CPU.
	Writes int `yaml:"writes"`
	// Evaluations are PromQL queries of rules, SLOs, detectors and the gate that run at once beside one of each tenant; 0 is 4 for each CPU.
	Evaluations int `yaml:"evaluations"`
	// Waiting is how many questions, and how many writes, of a tenant may wait for their turn; further ones get 429.
	Waiting int `yaml:"waiting"`
	// Wait is how long a question or write waits; then it gets 503 with Retry-After.
	Wait prom.Duration `yaml:"wait"`
}

// DefaultTurns keeps every CPU busy with what one tenant asks, and lets half of the room for the others.
func DefaultTurns() TurnsConfig {
	return TurnsConfig{Waiting: 200, Wait: prom.Duration(10 * time.Second)}
}

// Validate lists what is wrong, each message beginning with the field's path.
func (c TurnsConfig) Validate() []error {
	var errs []error
	for _, f := range []struct {
		name  string
		v     int
		least int
	}{{"questions", c.Questions, 0}, {"writes", c.Writes, 0}, {"evaluations", c.Evaluations, 0}, {"waiting", c.Waiting, 1}} {
		if f.v < f.least {
			errs = append(errs, fmt.Errorf("%s: must be >= %d, got %d", f.name, f.least, f.v))
		}
	}
	if c.Wait <= 0 {
		errs = append(errs, fmt.Errorf("wait: must be > 0, got %s", c.Wait))
	}
	return errs
}

// The common places for each CPU. Writes mostly wait for the disk, several for one sync.
const (
	questionsPerCPU = 4
	writesPerCPU    = 16
)

// Turns are the kinds of work that are divided, each by itself: what is asked does not hold up what is sent, and neither the rules.
type Turns struct{ Questions, Writes, Evaluations *turns.Queue }

// Turns are those of the configuration.
func (c TurnsConfig) Turns() Turns {
	of := func(places, perCPU int) turns.Limits {
		return turns.Limits{Common: cmp.Or(places, perCPU*runtime.GOMAXPROCS(0)), Waiting: c.Waiting, Wait: time.Duration(c.Wait)}
	}
	evaluations := of(c.Evaluations, questionsPerCPU)
	evaluations.Waiting, evaluations.Wait = 0, 0 // each has a time-out of its own
	return Turns{turns.New(of(c.Questions, questionsPerCPU)), turns.New(of(c.Writes, writesPerCPU)), turns.New(evaluations)}
}
