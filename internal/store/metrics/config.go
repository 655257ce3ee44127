package metrics

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Config is the metrics store's section of the configuration.
type Config struct {
	// Retention is how long samples are kept; older blocks are deleted whole. It
	// should exceed the longest SLO window, or a restart cannot see all of a budget.
	Retention model.Duration `yaml:"retention"`
	// MaxBytes bounds the blocks on disk, oldest deleted first; 0 means no bound.
	MaxBytes int64 `yaml:"max_bytes"`
	// OutOfOrderWindow is how much older than the newest sample a sample may be.
	OutOfOrderWindow model.Duration `yaml:"out_of_order_window"`
	// MaxExemplars is the size of the in-memory exemplar ring; 0 turns it off.
	MaxExemplars int64 `yaml:"max_exemplars"`
	// MaxSeries bounds the active series, which are those of the last two to three hours: samples of
	// more are refused with 429, those of active ones are taken. 0 is 45 % of the memory limit, 2 KiB a series.
	MaxSeries int `yaml:"max_series"`
	// MinFreeBytes is the free space of the disk under which the store refuses
	// writes, so that the log never ends in the middle of a record.
	MinFreeBytes uint64 `yaml:"min_free_bytes"`
	// SyncBeforeAck has remote write and OTLP answer only when the samples are on
	// the disk (fsync, shared by all requests that wait); without it they are with the
	// operating system, which a crash of the process survives and a power cut does not.
	SyncBeforeAck bool `yaml:"sync_before_ack"`
	// BlockRange is the span of the smallest block, and CompactEvery how often is looked whether
	// one is due. Tests of crashes set both small; nobody else has a reason to.
	BlockRange   model.Duration `yaml:"block_range"`
	CompactEvery model.Duration `yaml:"compact_every"`
	// LateLogBytes is how long the log of late samples may become before they are put into blocks out of
	// turn. The next start reads the whole log, a MiB in a few milliseconds.
	LateLogBytes int64 `yaml:"late_log_bytes"`
}

// DefaultConfig keeps 15 days and takes samples up to a day late.
func DefaultConfig() Config {
	return Config{
		Retention:        model.Duration(40 * 24 * time.Hour),
		OutOfOrderWindow: model.Duration(24 * time.Hour),
		MaxExemplars:     100_000,
		MinFreeBytes:     256 << 20,
		SyncBeforeAck:    true,
		BlockRange:       model.Duration(2 * time.Hour),
		CompactEvery:     model.Duration(time.Minute),
		LateLogBytes:     32 << 20,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if c.BlockRange < model.Duration(time.Second) || c.BlockRange > model.Duration(maxBlockRange) {
		errs = append(errs, fmt.Errorf("block_range: must be between 1s and %s, got %s", model.Duration(maxBlockRange), c.BlockRange))
	}
	if c.CompactEvery < model.Duration(time.Second) {
		errs = append(errs, fmt.Errorf("compact_every: must be at least 1s, got %s", c.CompactEvery))
	}
	if c.LateLogBytes < 0 {
		errs = append(errs, fmt.Errorf("late_log_bytes: must be >= 0, got %d", c.LateLogBytes))
	}
	if c.Retention < c.BlockRange {
		errs = append(errs, fmt.Errorf("retention: must be at least %s (block_range), got %s", c.BlockRange, c.Retention))
	}
	if c.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("max_bytes: must be >= 0, got %d", c.MaxBytes))
	}
	if c.OutOfOrderWindow < 0 {
		errs = append(errs, fmt.Errorf("out_of_order_window: must be >= 0, got %s", c.OutOfOrderWindow))
	}
	if c.MaxSeries < 0 {
		errs = append(errs, fmt.Errorf("max_series: must be >= 0, got %d", c.MaxSeries))
	}
	if c.MaxExemplars < 0 {
		errs = append(errs, fmt.Errorf("max_exemplars: must be >= 0, got %d", c.MaxExemplars))
	}
	return errs
}
