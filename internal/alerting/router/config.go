package router

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	amlabels "github.com/prometheus/alertmanager/pkg/labels"
	commoncfg "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
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
	compat.InitFromFlags(instrument.Silent(), featurecontrol.NoopFlags{})
})

// Files are how an alertmanager.yml is found and read.
func Files() document.Files {
	return document.Files{What: "alertmanager file", Setting: "alertmanager_file", MaxBytes: 4 << 20}
}

// Check reads an alertmanager.yml, by Alertmanager's own strict rules, and says everything that is wrong
// with it; "" is the default, and good.
func Check(file string) []document.Problem {
	_, problems := buildRoutes(func(*amconfig.Config) (built, error) { return built{}, nil }).Load(Files(), patterns(file))
	return problems
}

func patterns(file string) []string {
	if file == "" {
		return nil
	}
	return []string{file}
}

// routes is a configuration with all of it built that can fail to be.
type routes struct {
	file   string
	config *amconfig.Config
	built  built
}

// buildRoutes makes routes of a file as it was read, of the default tree without one.
func buildRoutes(build func(*amconfig.Config) (built, error)) document.Build[routes] {
	return func(files []document.File) (routes, []document.Problem) {
		useUTF8Matchers()
		f := document.File{Text: []byte(DefaultYAML)}
		if len(files) > 0 {
			f = files[0]
		}
		cfg, problems := read(f)
		if document.Failed(problems) {
			return routes{}, problems
		}
		keepWatchdogFromPeople(cfg)
		b, err := build(cfg)
		return routes{f.Path, cfg, b}, foreign(f).Problems(err)
	}
}

// foreign says what Alertmanager's own code finds wrong with a file.
func foreign(f document.File) document.Foreign {
	return document.Foreign{File: f, Line: 1, Names: document.NamesOf(amconfig.Config{}, amconfig.Receiver{}, amconfig.Route{})}
}

func read(f document.File) (*amconfig.Config, []document.Problem) {
	if bad := f.Unreadable(); bad != nil {
		return nil, []document.Problem{*bad}
	}
	cfg, err := amconfig.Load(string(f.Text))
	if err != nil {
		return nil, foreign(f).Problems(err)
	}
	if f.Path != "" {
		dir := filepath.Dir(f.Path)
		for i, t := range cfg.Templates {
			if !filepath.IsAbs(t) {
				cfg.Templates[i] = filepath.Join(dir, t)
			}
		}
		relative(reflect.ValueOf(cfg), dir)
	}
	if _, err := templates(cfg.Templates); err != nil {
		return nil, foreign(f).Problems(fmt.Errorf("templates: %w", err))
	}
	return cfg, nil
}

// relative makes the paths of every HTTP client of a configuration relative to a folder, as
// Alertmanager does when it loads the file itself.
func relative(v reflect.Value, dir string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if client, ok := v.Interface().(*commoncfg.HTTPClientConfig); ok {
			client.SetDirectory(dir)
			return
		}
		relative(v.Elem(), dir)
	case reflect.Slice:
		for i := range v.Len() {
			relative(v.Index(i), dir)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				relative(v.Field(i), dir)
			}
		}
	}
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
