package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
)

// generation writes a configuration of which every part carries a number.
func generation(n int) map[string]string {
	number := func(text string) string { return strings.ReplaceAll(text, "N", fmt.Sprint(n)) }
	return map[string]string{
		"signalbox.yml": number("external_labels: {}\nrule_files: [r.yml]\ndetector_files: [d.yml]\nslo_files: [s.yml]\npolicy_files: [p.yml]\nprobe_files: [b.yml]\nalertmanager_file: am.yml\n" +
			"scrape_configs: [{job_name: genN}]\nalerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:9']}]}]}\n"),
		"r.yml":  number("groups: [{name: genN, rules: [{record: one, expr: vector(N)}]}]\n"),
		"d.yml":  number("detectors: [{name: genN, expr: up}]\n"),
		"s.yml":  strings.ReplaceAll(availability, "edge-availability", fmt.Sprintf("gen%d", n)),
		"p.yml":  number("policies: [{name: genN}]\n"),
		"b.yml":  number("probes: [{name: genN, module: tcp_connect, target: '127.0.0.1:9'}]\n"),
		"am.yml": number("route: {receiver: genN}\nreceivers: [{name: genN}]\n"),
	}
}

// names are what every part has in force at one moment.
func (r *running) names(v *document.View) map[string]string {
	scrape := r.scrape.In(v).ScrapeConfigs
	return map[string]string{
		"configuration": fmt.Sprint("gen", r.inForce.In(v).Generation), "scraping": scrape[0].JobName,
		"rules": r.rules.In(v)[0].Groups.Groups[0].Name, "detectors": r.detectors.In(v)[0].Name, "probes": r.prober.In(v)[0].Name,
		"SLOs": r.catalog.In(v)[0].Name, "policies": r.policies.In(v).Named[0].Name,
	}
}

// running parts, asked where they do their work.
func (r *running) atWork() map[string]string {
	out := map[string]string{"scraper": r.scraper.Config().ScrapeConfigs[0].JobName, "router": r.router.Config().Route.Receiver}
	for _, g := range r.rules.RuleGroups() {
		if g.File() != "built-in" {
			out["rule manager"] = g.Name()
		}
	}
	for _, p := range r.prober.Probes(context.Background()) {
		out["prober"] = p.Name
	}
	return out
}

func all(t *testing.T, what string, got map[string]string, want string) {
	t.Helper()
	for part, name := range got {
		if name != want {
			t.Errorf("%s: %s has %s in force, want %s", what, part, name, want)
		}
	}
}

func configStatus(t *testing.T, r *running) api.ConfigStatus {
	t.Helper()
	status, text := r.get(t, "/sb/v1/status")
	return into[api.Status](t, status, text).Config
}

func TestWhatIsInForceIsSaidAlikeEverywhere(t *testing.T) {
	r := start(t, generation(1))
	all(t, "at the start", r.names(r.force.View()), "gen1")
	all(t, "at the start", r.atWork(), "gen1")
	files(t, r.dir, generation(2))
	all(t, "before the reload", r.atWork(), "gen1")
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	all(t, "after it", r.names(r.force.View()), "gen2")
	all(t, "after it", r.atWork(), "gen2")
	text, err := os.ReadFile(filepath.Join(r.dir, "signalbox.yml"))
	if err != nil {
		t.Fatal(err)
	}
	got := configStatus(t, r)
	if want := fmt.Sprintf("%x", sha256.Sum256(text)); got.Hash != want || got.Generation != 2 || !got.ReloadSucceeded || got.LoadedAt.IsZero() || got.File != filepath.Join(r.dir, "signalbox.yml") ||
		got.InForce["slos"] != 1 || got.InForce["scrape_jobs"] != 2 {
		t.Errorf("%+v, want the hash %s", got, want)
	}
	if !r.contains(t, "/metrics", "signalbox_config_generation 2") || !r.contains(t, "/api/v1/status/config", "gen2") || r.contains(t, "/api/v1/status/config", "gen1") {
		t.Error("metrics and Prometheus' API show another generation")
	}
	// What is offered to be edited is what is in force, not what stands on the disk by now.
	files(t, r.dir, generation(3))
	if !r.contains(t, "/sb/v1/backtest/documents", "gen2") || r.contains(t, "/sb/v1/backtest/documents", "gen3") {
		t.Error("the documents of a backtest are not those in force")
	}
}

// The third part, whatever it is, cannot take over what was prepared: all stay as they were.
func TestAReloadThatAPartCannotTakeOverChangesNothing(t *testing.T) {
	r := start(t, generation(1))
	files(t, r.dir, generation(2))
	broken := errors.New("the third part breaks")
	fails := true
	third := document.NewValue(r.force, 1, func(int) error {
		if fails {
			return broken
		}
		return nil
	})
	cfg := configOf(t, r.dir, generation(2)["signalbox.yml"])
	scrape, err := r.scrapeConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	changes := func() []document.Change {
		return []document.Change{
			r.scrape.Prepare(scrape), r.rules.Prepare(cfg.RuleFiles), r.prober.Prepare(cfg.ProbeFiles), r.router.Prepare(cfg.AlertmanagerFile), third.Prepare(2),
			r.catalog.Prepare(cfg.SLOFiles), r.policies.Prepare(cfg.PolicyFiles), r.detectors.Prepare(cfg.DetectorFiles),
			r.inForce.Prepare(Loaded{Config: cfg, Generation: 2}),
		}
	}
	if err := r.force.Commit(changes()...); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	all(t, "after the failure", r.names(r.force.View()), "gen1")
	all(t, "after the failure", r.atWork(), "gen1")
	if third.Value() != 1 {
		t.Error("the broken part has its new value")
	}
	fails = false
	if err := r.force.Commit(changes()...); err != nil {
		t.Fatal(err)
	}
	all(t, "once it is mended", r.names(r.force.View()), "gen2")
	all(t, "once it is mended", r.atWork(), "gen2")
}

// What Prometheus' code reads and cannot run: scraping has taken its part over by then, and goes back.
func TestAnAlertmanagerThatCannotBeReachedSafelyLeavesEverythingAsItWas(t *testing.T) {
	r := start(t, generation(1))
	next := generation(2)
	next["signalbox.yml"] = strings.Replace(next["signalbox.yml"], "alertmanagers: [{", "alertmanagers: [{scheme: https, tls_config: {ca_file: nowhere.pem}, ", 1)
	files(t, r.dir, next)
	status, text := r.do(t, "POST", "/-/reload", "", "")
	if status != http.StatusInternalServerError || !strings.Contains(text, "nowhere.pem") || !strings.Contains(text, "nothing was changed") {
		t.Fatalf("%d %s", status, text)
	}
	all(t, "after it", r.names(r.force.View()), "gen1")
	all(t, "after it", r.atWork(), "gen1")
	if got := configStatus(t, r); got.Generation != 1 || got.ReloadSucceeded {
		t.Errorf("%+v", got)
	}
}

func TestReloadsAtOnceAreOneAfterTheOtherAndReadersSeeOneGeneration(t *testing.T) {
	r := start(t, generation(1))
	var reloads, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got := r.names(r.force.View())
				delete(got, "configuration") // counts reloads, of which several may read the same files
				first := got["rules"]
				for part, name := range got {
					if name != first {
						t.Errorf("%s has %s in force while rules have %s", part, name, first)
						return
					}
				}
			}
		})
	}
	for n := 2; n <= 5; n++ {
		files(t, r.dir, generation(n))
		for range 3 {
			reloads.Go(func() {
				if err := r.reload(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		reloads.Wait()
		all(t, fmt.Sprint("generation ", n), r.atWork(), fmt.Sprint("gen", n))
	}
	close(stop)
	readers.Wait()
	if got := r.inForce.Value().Generation; got != 1+4*3 {
		t.Errorf("generation %d, want 13", got)
	}
}

// Files that are replaced after they were read are put into force as they were read.
func TestWhatWasReadIsWhatIsPutIntoForce(t *testing.T) {
	r := start(t, generation(1))
	files(t, r.dir, generation(2))
	cfg := configOf(t, r.dir, generation(2)["signalbox.yml"])
	changes := []document.Change{
		r.rules.Prepare(cfg.RuleFiles), r.detectors.Prepare(cfg.DetectorFiles), r.router.Prepare(cfg.AlertmanagerFile), r.prober.Prepare(cfg.ProbeFiles),
		r.catalog.Prepare(cfg.SLOFiles), r.policies.Prepare(cfg.PolicyFiles),
	}
	files(t, r.dir, generation(3))
	for _, name := range []string{"r.yml", "am.yml"} {
		if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.force.Commit(changes...); err != nil {
		t.Fatal(err)
	}
	got, work := r.names(r.force.View()), r.atWork()
	for _, part := range []string{"configuration", "scraping"} {
		delete(got, part)
	}
	delete(work, "scraper")
	all(t, "in force", got, "gen2")
	all(t, "at work", work, "gen2")
}

// Every kind of file: one that got worse keeps its last good version, and a good one beside it is taken.
func TestABadFileOfEveryKindKeepsItsLastGoodVersionAndIsNamed(t *testing.T) {
	bad := map[string]string{
		"r.yml": "groups: [{name: x, rulez: []}]\n", "d.yml": "detectors: [{nam: x}]\n", "s.yml": "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec: {}\n",
		"p.yml": "policies: [{nam: x}]\n", "b.yml": "probes: [{nam: x}]\n", "am.yml": "route: {receiver: nobody}\n",
	}
	r := start(t, generation(1))
	files(t, r.dir, generation(2))
	files(t, r.dir, bad)
	status, text := r.do(t, "POST", "/-/reload", "", "")
	if status != http.StatusInternalServerError {
		t.Fatalf("%d %s", status, text)
	}
	got := r.names(r.force.View())
	if got["configuration"] != "gen2" || got["scraping"] != "gen2" {
		t.Errorf("the good part was held up: %v", got)
	}
	delete(got, "configuration")
	delete(got, "scraping")
	all(t, "in force", got, "gen1")
	shown := into[api.Status](t, 200, second(r.get(t, "/sb/v1/status"))).Problems
	for name := range bad {
		place := filepath.Join(r.dir, name) + ":"
		if !strings.Contains(text, place) {
			t.Errorf("the answer does not name %s:\n%s", name, text)
		}
		if !slices.ContainsFunc(shown, func(p model.Problem) bool {
			return strings.HasPrefix(p.Message, place) && strings.Contains(p.Message, "last good")
		}) {
			t.Errorf("the status does not say what is in force instead of %s: %+v", name, shown)
		}
	}
}

func second(_ int, text string) string { return text }

func TestAReloadAfterTheEndChangesNothing(t *testing.T) {
	hangup := make(chan os.Signal)
	r := start(t, generation(1), func(o *Options) { o.Hangup = hangup })
	files(t, r.dir, generation(2))
	r.stop()
	if err := r.reload(t.Context()); !errors.Is(err, errStopping) {
		t.Errorf("%v", err)
	}
	if bytes.Contains([]byte(r.log.String()), []byte("configuration reloaded")) {
		t.Error("it was reloaded")
	}
	all(t, "after the end", r.names(r.force.View()), "gen1")
}
