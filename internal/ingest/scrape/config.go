package scrape

import (
	"errors"
	"fmt"
	"strings"

	prommodel "github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// secretsInAddresses refuses a user and password in a target's address: they
// would be in the label instance of every sample.
func secretsInAddresses(jobs []*promconfig.ScrapeConfig) []error {
	var errs []error
	for _, job := range jobs {
		for _, c := range job.ServiceDiscoveryConfigs {
			static, ok := c.(discovery.StaticConfig)
			if !ok {
				continue
			}
			for _, group := range static {
				for _, target := range group.Targets {
					if user, address, found := strings.Cut(string(target[prommodel.AddressLabel]), "@"); found && user != "" {
						errs = append(errs, fmt.Errorf("scrape_configs: job %s: target …@%s: a user and password do not belong in the address, they would be in the label instance: use basic_auth", job.JobName, address))
					}
				}
			}
		}
	}
	return errs
}

// Bound says how many bytes the answer of a target may become, once it is decompressed, where the configuration does not: Prometheus
// has no bound of its own, and a kilobyte of gzip can become a gigabyte.
func Bound(cfg *promconfig.Config, most int64) {
	orMost(&cfg.GlobalConfig.BodySizeLimit, most) // also of scrape_config_files
	for _, job := range cfg.ScrapeConfigs {
		orMost(&job.BodySizeLimit, most)
	}
}

func orMost[T ~int64](limit *T, most int64) {
	if *limit == 0 {
		*limit = T(most)
	}
}

// Load reads Prometheus' global and scrape_configs sections by its own strict
// rules. It stands here because the kinds of discovery that a configuration
// may name are those that this package links. Paths inside are relative to dir.
func Load(text, dir string) (*promconfig.Config, error) {
	cfg, err := promconfig.Load(text, instrument.Silent())
	if err != nil {
		return nil, err
	}
	cfg.SetDirectory(dir)
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return nil, fmt.Errorf("scrape_configs: %w", err)
	}
	return cfg, errors.Join(secretsInAddresses(jobs)...)
}
