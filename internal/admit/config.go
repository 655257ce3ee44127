package admit

import (
	"fmt"
	"slices"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Config is the section `admit`.
type Config struct {
	// MaxAttributes bounds the attributes of a record, a resource, an event or a link.
	MaxAttributes int `yaml:"max_attributes"`
	// MaxKeyBytes bounds an attribute's key; a longer one is truncated.
	MaxKeyBytes int `yaml:"max_key_bytes"`
	// MaxValueBytes bounds an attribute's value; a longer one is truncated.
	MaxValueBytes int `yaml:"max_value_bytes"`
	// MaxMessageBytes bounds a log's message and a span's name and status message;
	// longer is truncated.
	MaxMessageBytes int `yaml:"max_message_bytes"`
	// MaxRecordBytes bounds a whole record as it arrives; larger is refused.
	MaxRecordBytes int `yaml:"max_record_bytes"`
	// MaxEvents bounds a span's events; the rest is cut off.
	MaxEvents int `yaml:"max_events"`
	// MaxLinks bounds a span's links; the rest is cut off.
	MaxLinks int `yaml:"max_links"`
	// MaxFuture refuses records that are further ahead of the clock.
	MaxFuture common.Duration `yaml:"max_future"`
	// MaxAge refuses older records; it is the events' retention. 0 refuses none.
	MaxAge common.Duration `yaml:"max_age"`
	// MinLevel drops log records below a level, by environment; "*" is any
	// environment that has no entry of its own. Records without a level stay.
	MinLevel map[string]string `yaml:"min_level"`
	// PII says what is masked.
	PII PIIConfig `yaml:"pii"`
}

// PIIConfig says what is masked.
type PIIConfig struct {
	// MaskFields are names of attributes whose values are masked: a key matches
	// when it is the name or ends with it as a word (db.password, access_token).
	MaskFields []string `yaml:"mask_fields"`
	// MaskPatterns are email, card, iban, ipv4, ipv6, bearer, jwt, or a regular expression between
	// slashes, masked wherever they stand in messages and text values.
	MaskPatterns []string `yaml:"mask_patterns"`
}

// DefaultConfig keeps a month and masks credentials by name.
func DefaultConfig() Config {
	return Config{
		MaxAttributes: 128, MaxKeyBytes: 256, MaxValueBytes: 16 << 10, MaxMessageBytes: 64 << 10, MaxRecordBytes: 1 << 20,
		MaxEvents: 128, MaxLinks: 128,
		MaxFuture: common.Duration(10 * time.Minute), MaxAge: common.Duration(30 * 24 * time.Hour),
		PII: PIIConfig{MaskFields: []string{"password", "passwd", "authorization", "cookie", "set-cookie", "token", "secret"}},
	}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	atLeast := func(path string, v, least int) {
		if v < least {
			errs = append(errs, fmt.Errorf("%s: must be >= %d, got %d", path, least, v))
		}
	}
	atLeast("max_attributes", c.MaxAttributes, 1)
	atLeast("max_key_bytes", c.MaxKeyBytes, minLimitBytes)
	atLeast("max_value_bytes", c.MaxValueBytes, minLimitBytes)
	atLeast("max_message_bytes", c.MaxMessageBytes, minLimitBytes)
	atLeast("max_record_bytes", c.MaxRecordBytes, 1024)
	atLeast("max_events", c.MaxEvents, 0)
	atLeast("max_links", c.MaxLinks, 0)
	if c.MaxFuture <= 0 {
		errs = append(errs, fmt.Errorf("max_future: must be > 0, got %s", c.MaxFuture))
	}
	if c.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("max_age: must be >= 0, got %s", c.MaxAge))
	}
	envs := make([]string, 0, len(c.MinLevel))
	for env := range c.MinLevel {
		envs = append(envs, env)
	}
	slices.Sort(envs)
	for _, env := range envs {
		if l, ok := model.ParseLevel(c.MinLevel[env]); !ok || l == model.LevelUnset {
			errs = append(errs, fmt.Errorf("min_level.%s: %q is no level, use trace, debug, info, warn, error or fatal", env, c.MinLevel[env]))
		}
	}
	for i, f := range c.PII.MaskFields {
		if f == "" {
			errs = append(errs, fmt.Errorf("pii.mask_fields[%d]: must not be empty", i))
		}
	}
	for i, p := range c.PII.MaskPatterns {
		if _, err := newPattern(p); err != nil {
			errs = append(errs, fmt.Errorf("pii.mask_patterns[%d]: %w", i, err))
		}
	}
	return errs
}
