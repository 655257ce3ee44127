package samples

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Config bounds what a sample may look like.
type Config struct {
	// MaxLabels, MaxLabelNameBytes and MaxLabelValueBytes bound one series; a
	// larger one is refused.
	MaxLabels          int            `yaml:"max_labels_per_series"`
	MaxLabelNameBytes  int            `yaml:"max_label_name_bytes"`
	MaxLabelValueBytes int            `yaml:"max_label_value_bytes"`
	MaxFuture          model.Duration `yaml:"max_future"` // how far ahead of our clock a sample may be
}

// DefaultConfig suits well-behaved exporters and cuts off accidents.
func DefaultConfig() Config {
	return Config{
		MaxLabels:          64,
		MaxLabelNameBytes:  512,
		MaxLabelValueBytes: 4096,
		MaxFuture:          model.Duration(10 * time.Minute),
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for _, f := range []struct {
		name string
		n    int
	}{
		{"max_labels_per_series", c.MaxLabels},
		{"max_label_name_bytes", c.MaxLabelNameBytes},
		{"max_label_value_bytes", c.MaxLabelValueBytes},
	} {
		if f.n <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %d", f.name, f.n))
		}
	}
	if c.MaxFuture < 0 {
		errs = append(errs, fmt.Errorf("max_future: must be >= 0, got %s", c.MaxFuture))
	}
	return errs
}
