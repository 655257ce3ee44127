package search

import (
	"fmt"
	"time"

	prom "github.com/prometheus/common/model"
)

// Config bounds what a query may cost.
type Config struct {
	// Timeout ends a query that takes longer.
	Timeout prom.Duration `yaml:"timeout"`
	// MaxConcurrent is how many queries run at a time; further ones wait their turn
	// within their time-out.
	MaxConcurrent int `yaml:"max_concurrent"`
	// MaxLogs and MaxTraces are the largest limits that may be asked for.
	MaxLogs   int `yaml:"max_logs"`
	MaxTraces int `yaml:"max_traces"`
	// MaxTails is how many live tails may be open, TailBuffer how many records
	// each may lag behind.
	MaxTails   int `yaml:"max_tails"`
	TailBuffer int `yaml:"tail_buffer"`
}

// DefaultConfig suits one machine with a few users at once.
func DefaultConfig() Config {
	return Config{
		Timeout: prom.Duration(30 * time.Second), MaxConcurrent: 8, MaxLogs: 10_000, MaxTraces: 1_500,
		MaxTails: 200, TailBuffer: 1_000,
	}
}

// Validate lists what is wrong, each message beginning with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be > 0, got %s", c.Timeout))
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"max_concurrent", c.MaxConcurrent},
		{"max_logs", c.MaxLogs},
		{"max_traces", c.MaxTraces},
		{"max_tails", c.MaxTails},
		{"tail_buffer", c.TailBuffer},
	} {
		if f.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %d", f.name, f.value))
		}
	}
	return errs
}
