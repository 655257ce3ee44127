package flapping

import (
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// maxCourses bounds for how many alerts firings are counted. Alerts beyond it are not damped.
const maxCourses = 100_000

// Damper counts how often alerts fire. It is safe for concurrent use.
type Damper struct {
	cfg  Config
	log  *slog.Logger
	held prometheus.Counter

	mu      sync.Mutex
	courses map[prommodel.Fingerprint]*course
	swept   time.Time
}

// course is what an alert did of late.
type course struct {
	begins   []time.Time // of the firings in the window, oldest first
	fires    bool
	ends     time.Time // while it fires: when it ends unless it is heard of again; afterwards: when it ended
	pause    time.Duration
	flapping bool
	since    time.Time // of the first firing that counted when it began to flap
	count    int       // of firings since then
}

// New makes a Damper; nil, which damps nothing, where that is turned off.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Damper, error) {
	if !cfg.Enabled {
		return nil, nil
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errs[0]
	}
	d := &Damper{cfg: cfg, log: instrument.Logger(log), courses: map[prommodel.Fingerprint]*course{}}
	d.held = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_alerts_damped_total", Help: "Ends of flapping alerts that were put off.",
	})
	return d, instrument.Register(reg, "flap damping", d.held)
}

// Damp is what the pipeline is to be given of alerts that were sent at a time.
func (d *Damper) Damp(now time.Time, alerts []*alert.Alert) []*alert.Alert {
	out := make([]*alert.Alert, len(alerts))
	if d == nil {
		for i, a := range alerts {
			out[i] = annotated(a, "")
		}
		return out
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep(now)
	for i, a := range alerts {
		out[i] = d.damp(now, a)
	}
	return out
}

func (d *Damper) damp(now time.Time, a *alert.Alert) *alert.Alert {
	fp := a.Fingerprint()
	c := d.courses[fp]
	if c == nil {
		if a.ResolvedAt(now) || len(d.courses) >= maxCourses {
			return annotated(a, "")
		}
		c = &course{}
		d.courses[fp] = c
	}
	if a.ResolvedAt(now) {
		return d.ended(c, a)
	}
	d.fires(c, a, now)
	if !c.flapping {
		return annotated(a, "")
	}
	// A sender that falls silent ends it too. What says itself when it ends rules, so this counts as a guess.
	out := *annotated(a, d.note(c))
	out.EndsAt, out.Timeout = a.EndsAt.Add(d.calm(c)), true
	return &out
}

// fires notes that an alert fires.
func (d *Damper) fires(c *course, a *alert.Alert, now time.Time) {
	if c.fires && !c.ends.After(now) {
		c.fires = false // its sender fell silent, and the pipeline ended it
	}
	if !c.fires {
		d.begins(c, a, now)
	}
	c.fires, c.ends = true, a.EndsAt
}

func (d *Damper) begins(c *course, a *alert.Alert, now time.Time) {
	if c.flapping && !now.Before(c.ends.Add(d.calm(c))) {
		*c = course{begins: c.begins, ends: c.ends}
	}
	from := now.Add(-time.Duration(d.cfg.Within))
	for len(c.begins) > 0 && !c.begins[0].After(from) {
		c.begins = c.begins[1:]
	}
	if len(c.begins) == 0 && !c.flapping {
		c.pause = 0
	} else if !c.ends.IsZero() {
		c.pause = max(c.pause, now.Sub(c.ends))
	}
	c.begins = append(c.begins, now)
	if len(c.begins) > d.cfg.After {
		c.begins = c.begins[1:]
	}
	c.count++
	if !c.flapping && len(c.begins) >= d.cfg.After {
		c.flapping, c.since, c.count = true, c.begins[0], len(c.begins)
		d.log.Info("alert flaps: it is held open until it stays quiet", "alert", a.Name(), "service", a.Labels["service"],
			"firings", c.count, "since", c.since, "calm", d.calm(c))
	}
}

// ended notes an end, and puts it off for an alert that flaps. An end may be told many times, and counts once.
func (d *Damper) ended(c *course, a *alert.Alert) *alert.Alert {
	first := c.fires
	if first {
		c.fires, c.ends = false, a.EndsAt
	}
	if !c.flapping || !a.EndsAt.Equal(c.ends) {
		return annotated(a, "")
	}
	if first {
		d.held.Inc()
	}
	out := *annotated(a, d.note(c))
	out.EndsAt, out.Timeout = a.EndsAt.Add(d.calm(c)), false
	return &out
}

// calm is how long an alert must stay quiet: longer than it was quiet so far, or a slow rhythm would page each time.
func (d *Damper) calm(c *course) time.Duration {
	return min(max(time.Duration(d.cfg.Calm), 2*c.pause), time.Duration(d.cfg.Within)/2)
}

func (d *Damper) note(c *course) string {
	if !c.flapping {
		return ""
	}
	return fmt.Sprintf("it fired %d times since %s; it is held open, without further pages, until it stays quiet for %s",
		c.count, human.Clock(c.since), human.Duration(d.calm(c)))
}

// sweep forgets alerts that were quiet for so long that nothing of them counts.
func (d *Damper) sweep(now time.Time) {
	if now.Sub(d.swept) < time.Minute {
		return
	}
	d.swept = now
	for fp, c := range d.courses {
		if now.Sub(c.ends) > time.Duration(d.cfg.Within)+d.calm(c) {
			delete(d.courses, fp)
		}
	}
}

// annotated is an alert with our note, or without one.
func annotated(a *alert.Alert, note string) *alert.Alert {
	if had, ok := a.Annotations[notify.Flapping]; ok == (note != "") && string(had) == note {
		return a
	}
	out := *a
	out.Annotations = maps.Clone(a.Annotations)
	if out.Annotations == nil {
		out.Annotations = prommodel.LabelSet{}
	}
	delete(out.Annotations, notify.Flapping)
	if note != "" {
		out.Annotations[notify.Flapping] = prommodel.LabelValue(note)
	}
	return &out
}
