package flapping

import (
	"fmt"
	"time"

	prommodel "github.com/prometheus/common/model"
)

// Config is the section `flapping`.
type Config struct {
	// Enabled turns flap damping on.
	Enabled bool `yaml:"enabled"`
	// After is with which firing in `within` an alert is flapping.
	After int `yaml:"after"`
	// Within is how far back firings count.
	Within prommodel.Duration `yaml:"within"`
	// Calm is how long it must stay quiet before it ends: at least so long, twice its longest pause so far, and at
	// most half of `within`.
	Calm prommodel.Duration `yaml:"calm"`
}

// DefaultConfig holds what fires a third time in an hour until it is quiet for ten minutes.
func DefaultConfig() Config {
	return Config{Enabled: true, After: 3, Within: prommodel.Duration(time.Hour), Calm: prommodel.Duration(10 * time.Minute)}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if !c.Enabled {
		return nil
	}
	if c.After < 2 || c.After > 100 {
		errs = append(errs, fmt.Errorf("after: must be between 2 and 100, because the first firing is never damped, got %d", c.After))
	}
	if c.Within <= 0 || time.Duration(c.Within) > 24*time.Hour {
		errs = append(errs, fmt.Errorf("within: must be > 0s and at most 1d, got %s", c.Within))
	}
	if c.Calm <= 0 || c.Calm > c.Within/2 {
		errs = append(errs, fmt.Errorf("calm: must be > 0s and at most half of within, got %s", c.Calm))
	}
	return errs
}
