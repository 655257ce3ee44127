package scrape

import (
	"fmt"
	"log/slog"

	promconfig "github.com/prometheus/prometheus/config"
)

// Load reads Prometheus' global and scrape_configs sections by its own strict
// rules. It stands here because the kinds of discovery that a configuration
// may name are those that this package links. Paths inside are relative to dir.
func Load(text, dir string) (*promconfig.Config, error) {
	cfg, err := promconfig.Load(text, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	cfg.SetDirectory(dir)
	if _, err := cfg.GetScrapeConfigs(); err != nil {
		return nil, fmt.Errorf("scrape_configs: %w", err)
	}
	return cfg, nil
}
