package app

import (
	"fmt"
	"strings"

	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
	"github.com/signalbox-project/signalbox/internal/model"
)

// buildScrape puts the sections of Prometheus' own format into force.
func (c *cell) buildScrape() error {
	cfg, err := c.scrapeConfig(c.cfg)
	if err != nil {
		return err
	}
	if err := c.applyScrape(cfg); err != nil {
		return err
	}
	c.scrape = document.NewValue(c.force, cfg, c.applyScrape)
	return nil
}

// applyScrape has targets scraped and Alertmanagers outside told by a configuration.
func (c *cell) applyScrape(cfg *promconfig.Config) error {
	if err := c.scraper.Apply(cfg); err != nil {
		return err
	}
	return c.sender.Apply(cfg)
}

// scrapeConfig is what a configuration says, and for the tenant default that we scrape ourselves.
func (c *cell) scrapeConfig(cfg config.Config) (*promconfig.Config, error) {
	scrape.Bound(cfg.Prometheus, scrapeBody(c.memory))
	if c.tenant != model.DefaultTenant {
		return cfg.Prometheus, nil
	}
	own, err := c.ownScrape()
	if err != nil {
		return nil, err
	}
	for _, job := range cfg.Prometheus.ScrapeConfigs {
		if job.JobName == own.JobName {
			return cfg.Prometheus, nil
		}
	}
	withOwn := *cfg.Prometheus
	withOwn.ScrapeConfigs = append(append([]*promconfig.ScrapeConfig{}, withOwn.ScrapeConfigs...), own)
	return &withOwn, nil
}

// maxScrapeBody is more than kube-state-metrics answers for a large cluster.
const maxScrapeBody = 256 << 20

// scrapeBody is what one target's answer may become where the configuration does not say, with the memory that there is.
func scrapeBody(memory int64) int64 {
	if memory <= 0 {
		return maxScrapeBody
	}
	return min(maxScrapeBody, int64(bodyShare*float64(memory)))
}

// ownTarget is ourselves, as dialToScrape knows us. No name server outside gives names below .internal.
const ownTarget = "own.signalbox.internal:80"

// ownScrape is the job that brings our own metrics into our own store.
func (c *cell) ownScrape() (*promconfig.ScrapeConfig, error) {
	_, address, _ := strings.Cut(c.addresses.Web, "://")
	text := fmt.Sprintf("scrape_configs: [{job_name: signalbox, scrape_interval: 15s, static_configs: [{targets: [%q], labels: {service: signalbox, instance: %q}}]}]",
		ownTarget, address)
	own, err := promconfig.Load(text, c.log)
	if err != nil {
		return nil, fmt.Errorf("own scrape job: %w", err)
	}
	return own.ScrapeConfigs[0], nil
}
