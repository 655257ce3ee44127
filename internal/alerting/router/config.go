package router

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	amlabels "github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/template"
)

// DefaultYAML is the routing tree that applies without an alertmanager.yml, in
// Alertmanager's own format.
//
//go:embed default.yml
var DefaultYAML string

// The watchdog's name and the receiver it is sent to where the configuration
// has no place for it.
const (
	WatchdogName     = "Watchdog"
	watchdogReceiver = "signalbox-watchdog"
)

// useUTF8Matchers chooses Alertmanager's matcher syntax, which its code keeps in
// package variables.
var useUTF8Matchers = sync.OnceFunc(func() {
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
})

// LoadConfig reads an alertmanager.yml by Alertmanager's own strict rules; ""
// is the default. Errors name the file.
func LoadConfig(file string) (*amconfig.Config, error) {
	useUTF8Matchers()
	cfg, err := load(file)
	if err != nil {
		return nil, err
	}
	if _, err := template.FromGlobs(cfg.Templates); err != nil {
		return nil, fmt.Errorf("%s: templates: %w", name(file), err)
	}
	keepWatchdogFromPeople(cfg)
	return cfg, nil
}

func load(file string) (*amconfig.Config, error) {
	if file == "" {
		cfg, err := amconfig.Load(DefaultYAML)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name(file), err)
		}
		return cfg, nil
	}
	cfg, err := amconfig.LoadFile(file)
	var path *os.PathError
	switch {
	case errors.As(err, &path):
		return nil, fmt.Errorf("read alertmanager file: %w", err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return cfg, nil
}

func name(file string) string {
	if file == "" {
		return "built-in alertmanager configuration"
	}
	return filepath.Clean(file)
}

// keepWatchdogFromPeople gives the watchdog a route of its own unless a route
// names it: an alert that always fires must reach a heartbeat monitor or nobody.
func keepWatchdogFromPeople(cfg *amconfig.Config) {
	if slices.ContainsFunc(cfg.Route.Routes, namesWatchdog) {
		return
	}
	is, err := amlabels.NewMatcher(amlabels.MatchEqual, "alertname", WatchdogName)
	if err != nil {
		return // a constant name and value always compile
	}
	route := &amconfig.Route{Receiver: watchdogReceiver, Matchers: []*amlabels.Matcher{is}, GroupByStr: []string{"alertname"}}
	route.GroupBy = append(route.GroupBy, "alertname")
	cfg.Route.Routes = append([]*amconfig.Route{route}, cfg.Route.Routes...)
	cfg.Receivers = append(cfg.Receivers, amconfig.Receiver{Name: watchdogReceiver})
}

func namesWatchdog(r *amconfig.Route) bool {
	if v, ok := r.Match["alertname"]; ok && v == WatchdogName {
		return true
	}
	if re, ok := r.MatchRE["alertname"]; ok && re.MatchString(WatchdogName) {
		return true
	}
	for _, m := range r.Matchers {
		positive := m.Type == amlabels.MatchEqual || m.Type == amlabels.MatchRegexp
		if m.Name == "alertname" && positive && m.Matches(WatchdogName) {
			return true
		}
	}
	return slices.ContainsFunc(r.Routes, namesWatchdog)
}
