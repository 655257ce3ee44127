package events

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Retention is how long events are kept, by signal.
type Retention struct {
	// Logs and Spans are kept this long, from an event's own time; whole parts
	// are dropped, so events live up to a day longer.
	Logs  model.Duration `yaml:"logs"`
	Spans model.Duration `yaml:"spans"`
}

// Config is the section events.
type Config struct {
	// Retention counts from an event's own time. Whole parts are dropped, so
	// events live up to a day longer.
	Retention Retention `yaml:"retention"`
	// HeadRows and HeadBytes are when a head is full and sealed.
	HeadRows  int   `yaml:"head_rows"`
	HeadBytes int64 `yaml:"head_bytes"`
	// MaxBytes bounds all heads' memory, sealed ones in the making included. Beyond it
	// appends wait up to MaxWait and are then refused with store.ErrOverloaded.
	MaxBytes int64          `yaml:"max_bytes"`
	MaxWait  model.Duration `yaml:"max_wait"`
	// SealAfter is the age at which a head is sealed, full or not.
	SealAfter model.Duration `yaml:"seal_after"`
	// SealIdle seals heads of other days than the newest (late data, back-fill)
	// that got nothing for so long.
	SealIdle model.Duration `yaml:"seal_idle"`
	// MinFreeBytes is the free disk space under which nothing more is accepted.
	MinFreeBytes uint64 `yaml:"min_free_bytes"`
	// Encrypt keeps logs and spans on the disk so that they open with the keys of the section seal alone. What is there already is
	// read as it is, and is written anew, as is set here, in the background.
	Encrypt bool `yaml:"encrypt"`
}

// DefaultConfig keeps events for 30 days and heads of 64 Ki rows. A head lives 15 minutes at
// most: a quiet service makes about 100 parts a day, which are merged, and a restart
// has little to replay.
func DefaultConfig() Config {
	return Config{
		Retention:    Retention{Logs: model.Duration(30 * 24 * time.Hour), Spans: model.Duration(30 * 24 * time.Hour)},
		HeadRows:     64 << 10,
		HeadBytes:    32 << 20,
		MaxBytes:     192 << 20,
		MaxWait:      model.Duration(2 * time.Second),
		SealAfter:    model.Duration(15 * time.Minute),
		SealIdle:     model.Duration(30 * time.Second),
		MinFreeBytes: 256 << 20,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	positive := func(path string, d model.Duration) {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %s", path, d))
		}
	}
	positive("retention.logs", c.Retention.Logs)
	positive("retention.spans", c.Retention.Spans)
	positive("seal_after", c.SealAfter)
	positive("seal_idle", c.SealIdle)
	if c.MaxWait < 0 {
		errs = append(errs, fmt.Errorf("max_wait: must be >= 0, got %s", c.MaxWait))
	}
	if c.HeadRows < 1 || c.HeadRows > 1<<20 {
		errs = append(errs, fmt.Errorf("head_rows: must be between 1 and %d, got %d", 1<<20, c.HeadRows))
	}
	if c.HeadBytes < 1<<10 || c.HeadBytes > 1<<30 {
		errs = append(errs, fmt.Errorf("head_bytes: must be between 1 KiB and 1 GiB, got %d", c.HeadBytes))
	}
	if c.MaxBytes < 2*c.HeadBytes {
		errs = append(errs, fmt.Errorf("max_bytes: must be at least twice head_bytes (%d), got %d", c.HeadBytes, c.MaxBytes))
	}
	return errs
}
