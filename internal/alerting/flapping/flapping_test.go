package flapping

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/notify"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// pipeline is Alertmanager's store of one alert and a page that is open while the alert fires, with a
// sender that works as Prometheus does: it tells each minute that an alert fires, and for 15 minutes that it ended.
type pipeline struct {
	t      *testing.T
	damper *Damper
	stored *alert.Alert
	open   bool
	told   []string

	fires        bool
	begin, ended time.Time
	dead         bool
	pages        int
}

func newPipeline(t *testing.T, cfg Config) *pipeline {
	p := &pipeline{t: t}
	p.restart(cfg)
	return p
}

func (p *pipeline) restart(cfg Config) {
	d, err := New(cfg, nil, prometheus.NewRegistry())
	if err != nil {
		p.t.Fatal(err)
	}
	p.damper = d
}

// happen is what the sender is told at a time.
func (p *pipeline) happen(now time.Time, what string) {
	switch what {
	case "fires":
		p.fires, p.begin = true, now
	case "ends":
		p.fires, p.ended = false, now
	case "dies":
		p.dead = true
	case "restart":
		p.restart(DefaultConfig())
	default:
		p.t.Fatalf("unknown event %q", what)
	}
}

// minute has the sender send and the pipeline look.
func (p *pipeline) minute(now time.Time) {
	switch {
	case p.dead:
	case p.fires:
		p.put(now, p.begin, now.Add(4*time.Minute))
	case !p.ended.IsZero() && now.Sub(p.ended) < 15*time.Minute:
		p.put(now, p.begin, p.ended)
	}
	firing := p.stored != nil && p.stored.EndsAt.After(now)
	if firing != p.open {
		word := "resolved"
		if firing {
			word = "page"
			p.pages++
		}
		p.told = append(p.told, now.Format("15:04 ")+word)
	}
	p.open = firing
}

func (p *pipeline) put(now, begin, end time.Time) {
	a := &alert.Alert{UpdatedAt: now, Alert: prommodel.Alert{
		Labels: prommodel.LabelSet{"alertname": "Check", "severity": "critical"}, StartsAt: begin, EndsAt: end,
		Annotations: prommodel.LabelSet{"summary": "it fails", notify.Flapping: "brought by the sender"},
	}}
	out := p.damper.Damp(now, []*alert.Alert{a})[0]
	if !a.ResolvedAt(now) && (out.EndsAt.Before(end) || !out.StartsAt.Equal(begin)) {
		p.t.Errorf("%s: what fires was changed to %+v", now, out)
	}
	if a.Annotations[notify.Flapping] != "brought by the sender" || out.Annotations["summary"] != "it fails" || out.Annotations[notify.Flapping] == "brought by the sender" {
		p.t.Errorf("%s: annotations %v of %v", now, out.Annotations, a.Annotations)
	}
	// As mem.Alerts does.
	if old := p.stored; old != nil && ((out.EndsAt.After(old.StartsAt) && out.EndsAt.Before(old.EndsAt)) || (out.StartsAt.After(old.StartsAt) && out.StartsAt.Before(old.EndsAt))) {
		merged := *out
		if old.StartsAt.Before(merged.StartsAt) {
			merged.StartsAt = old.StartsAt
		}
		if out.ResolvedAt(now) {
			if old.ResolvedAt(now) && old.EndsAt.After(out.EndsAt) {
				merged.EndsAt = old.EndsAt
			}
		} else if old.EndsAt.After(out.EndsAt) && !old.Timeout {
			merged.EndsAt = old.EndsAt
		}
		out = &merged
	}
	p.stored = out
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			events, want := map[string]string{}, []string(nil)
			expects := false
			for line := range strings.Lines(string(text)) {
				line = strings.TrimSpace(line)
				switch at, what, _ := strings.Cut(line, " "); {
				case line == "" || line[0] == '#':
				case line == "expect":
					expects = true
				case expects:
					want = append(want, line)
				default:
					events[at] = what
				}
			}
			p := newPipeline(t, DefaultConfig())
			for now := noon; now.Before(noon.Add(6 * time.Hour)); now = now.Add(time.Minute) {
				if what, ok := events[now.Format("15:04")]; ok {
					p.happen(now, what)
				}
				p.minute(now)
			}
			if diff := cmp.Diff(want, p.told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of whatever an alert does for a day: it has a page open whenever it fires, no end is lost, and there are
// never more pages than without damping, of which there may be hundreds.
func TestWhateverAnAlertDoes(t *testing.T) {
	const day = 24 * time.Hour
	cfg := DefaultConfig()
	longest := time.Duration(cfg.Within)/2 + 5*time.Minute
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 9))
		damped, plain := newPipeline(t, cfg), newPipeline(t, Config{})
		fires, next := false, noon
		quietSince := noon
		mean := 1 + r.IntN(40)
		for now := noon; now.Before(noon.Add(day)); now = now.Add(time.Minute) {
			if !now.Before(next) {
				what := map[bool]string{true: "fires", false: "ends"}[!fires]
				fires = !fires
				damped.happen(now, what)
				plain.happen(now, what)
				next = now.Add(time.Duration(1+r.IntN(2*mean)) * time.Minute)
				quietSince = now
			}
			damped.minute(now)
			plain.minute(now)
			if fires && !damped.open {
				t.Fatalf("seed %d: it fires at %s and no page is open", seed, now)
			}
			if !fires && damped.open && now.Sub(quietSince) > longest {
				t.Fatalf("seed %d: quiet since %s, and open at %s", seed, quietSince, now)
			}
		}
		if damped.pages > plain.pages {
			t.Errorf("seed %d: %d pages, %d without damping", seed, damped.pages, plain.pages)
		}
		// From the third on each page needs a quiet time of calm before it.
		if most := 2 + int(day/time.Duration(cfg.Calm)); damped.pages > most {
			t.Errorf("seed %d: %d pages, at most %d", seed, damped.pages, most)
		}
	}
}

func TestWhatItSays(t *testing.T) {
	d, err := New(DefaultConfig(), nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for i := range 5 {
		at := noon.Add(time.Duration(i) * 5 * time.Minute)
		for j, end := range []time.Time{at.Add(time.Hour), at.Add(time.Minute)} {
			now := at.Add(time.Duration(j) * time.Minute)
			a := &alert.Alert{Alert: prommodel.Alert{Labels: prommodel.LabelSet{"alertname": "A"}, StartsAt: at, EndsAt: end}}
			last = string(d.Damp(now, []*alert.Alert{a})[0].Annotations[notify.Flapping])
			if (last != "") != (i >= 2) {
				t.Errorf("firing %d: %q", i+1, last)
			}
		}
	}
	if want := "it fired 5 times since 12:00 UTC; it is held open, without further pages, until it stays quiet for 10 m"; last != want {
		t.Errorf("got  %s\nwant %s", last, want)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d, err := New(DefaultConfig(), nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxCourses + 10 {
		a := &alert.Alert{Alert: prommodel.Alert{Labels: prommodel.LabelSet{"alertname": prommodel.LabelValue(fmt.Sprint(i))}, StartsAt: noon, EndsAt: noon.Add(time.Minute)}}
		d.Damp(noon, []*alert.Alert{a})
	}
	if len(d.courses) != maxCourses {
		t.Errorf("%d alerts are counted", len(d.courses))
	}
	if d.Damp(noon.Add(3*time.Hour), nil); len(d.courses) != 0 {
		t.Errorf("%d alerts are counted after three quiet hours", len(d.courses))
	}
}

func TestConfig(t *testing.T) {
	good := DefaultConfig()
	if errs := good.Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.After = 1 },
		func(c *Config) { c.Within = 0 },
		func(c *Config) { c.Calm = c.Within },
	} {
		bad := good
		change(&bad)
		if errs := bad.Validate(); len(errs) == 0 {
			t.Errorf("%+v is taken", bad)
		}
	}
	if d, err := New(Config{}, nil, prometheus.NewRegistry()); d != nil || err != nil {
		t.Error(d, err)
	}
}
