package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	sbmodel "github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

// platform is what the story does to the simulated services.
type platform interface {
	Inject(simulate.Fault) error
	Clear(name string)
	Version(service string) string
}

// story is a release pipeline that obeys the gate, an on-call engineer who
// rolls back, and a narrator. It decides nothing that a person would
// not see: it reads the gate's answers and the pages.
type story struct {
	cfg      Config
	log      *slog.Logger
	server   *client
	platform platform
	rng      *rand.Rand
	releases map[string]int // bad releases so far, by service
	played   map[string]time.Time
	cycle    int
	lastSaid string
	began    time.Time
}

func newStory(cfg Config, log *slog.Logger, server *client, p platform, began time.Time) *story {
	return &story{
		cfg: cfg, log: log, server: server, platform: p, began: began,
		rng: rand.New(rand.NewPCG(cfg.Simulate.Seed, uint64(began.UnixNano()))), releases: map[string]int{}, played: map[string]time.Time{},
	}
}

// How long each step may take before the story goes on without it.
const (
	poll            = 3 * time.Second
	gateRetry       = 15 * time.Second
	gatePatience    = 90 * time.Second
	pagePatience    = 8 * time.Minute
	blockPatience   = 2 * time.Minute
	recoverPatience = 15 * time.Minute
	frozenPause     = 5 * time.Minute
	rest            = 55 * time.Minute // between two releases of one service: the 1 h burn has then forgotten the first
)

func (s *story) tell(text string, args ...any) { s.log.Info("story: "+text, args...) }

func (s *story) run(ctx context.Context) {
	if !sleep(ctx, s.cfg.FirstRelease-time.Since(s.began)) {
		return
	}
	for ctx.Err() == nil {
		pause := s.cfg.Pause/2 + time.Duration(s.rng.Float64()*float64(s.cfg.Pause))
		service, ok := s.choose(ctx)
		if ok {
			s.play(ctx, service)
		} else {
			pause = frozenPause
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// choose asks the gate for a release of one service after the other until one
// is allowed: the pipeline obeys, so a burnt budget makes the story move on.
func (s *story) choose(ctx context.Context) (string, bool) {
	order := simulate.Services()
	if s.cycle > 0 {
		s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	s.cycle++
	order = slices.DeleteFunc(order, func(service string) bool {
		at, ok := s.played[service]
		return ok && time.Since(at) < rest
	})
	var unsure string
	for _, service := range order {
		d, err := s.ask(ctx, service, false)
		if err != nil {
			s.log.Warn("story: the gate does not answer", "error", err)
			return "", false
		}
		switch d.Verdict {
		case sbmodel.VerdictAllow:
			return service, true
		case sbmodel.VerdictInsufficient:
			unsure = service
		case sbmodel.VerdictHold:
			s.critical(ctx, service, d)
		}
		s.once(fmt.Sprintf("the gate keeps %s as it is (%s): %s", service, d.Verdict, d.Summary))
	}
	if unsure != "" {
		s.once("the gate has too little data for any release yet; the pipeline asks again")
		return s.insist(ctx, unsure)
	}
	s.once("no service may be released now; the pipeline waits until burn rates fall and new versions are due")
	return "", false
}

// insist repeats the question while data are thin, as after the first start.
func (s *story) insist(ctx context.Context, service string) (string, bool) {
	for deadline := time.Now().Add(gatePatience); time.Now().Before(deadline); {
		if !sleep(ctx, gateRetry) {
			return "", false
		}
		d, err := s.ask(ctx, service, false)
		if err == nil && d.Verdict != sbmodel.VerdictInsufficient {
			return service, d.Verdict == sbmodel.VerdictAllow
		}
	}
	return "", false
}

// critical shows that a held service still gets its critical fixes.
func (s *story) critical(ctx context.Context, service string, held sbmodel.GateDecision) {
	d, err := s.ask(ctx, service, true)
	if err != nil || d.Verdict != sbmodel.VerdictAllow {
		return
	}
	s.once(fmt.Sprintf("the gate holds ordinary releases of %s (%s), but would let a critical fix pass", service, strings.TrimSuffix(held.Summary, ".")))
}

func (s *story) ask(ctx context.Context, service string, critical bool) (sbmodel.GateDecision, error) {
	return s.server.gate(ctx, sbmodel.GateRequest{
		Service: service, Environment: simulate.Environment, Version: s.next(service), Critical: critical, Actor: "pipeline",
	})
}

// once tells what was not told just before.
func (s *story) once(text string) {
	if text != s.lastSaid {
		s.tell(text)
	}
	s.lastSaid = text
}

// next is the version that the pipeline wants to release.
func (s *story) next(service string) string {
	return bump(s.platform.Version(service), s.releases[service]+1)
}

// bump raises the second number of a version: 2.4.1 and 1 give 2.5.0.
func bump(version string, by int) string {
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return fmt.Sprintf("%s-r%d", version, by)
	}
	return fmt.Sprintf("%d.%d.0", major, minor+by)
}

var plots = []string{
	"nil session in request context",
	"cannot decode revision: unknown field panes",
	"connection reset by peer while reading the body",
	"feature flag layout_v2 has no default",
	"tls: certificate is valid for internal.broker, not for the new listener",
}

// play is one cycle: release, trouble, page, blocked release, roll-back, recovery.
func (s *story) play(ctx context.Context, service string) {
	old, bad := s.platform.Version(service), s.next(service)
	s.releases[service]++
	s.played[service] = time.Now()
	fault := simulate.Fault{
		Name: "release " + bad, Kind: simulate.BadDeployment, Service: service, Version: bad,
		Share: 0.5 + 0.15*s.rng.Float64(), ErrorRate: 0.8 + 0.15*s.rng.Float64(),
		Latency: model.Duration(time.Duration(s.rng.IntN(120)) * time.Millisecond), Message: plots[s.rng.IntN(len(plots))],
	}
	released := time.Now()
	s.mark(ctx, service, bad, "deploy", "pipeline", fmt.Sprintf("roll-out to %.0f %% of the traffic", fault.Share*100))
	if err := s.platform.Inject(fault); err != nil {
		s.log.Error("story: release a bad version", "error", err)
		return
	}
	defer s.platform.Clear(fault.Name)
	s.tell(fmt.Sprintf("the gate allowed %s %s; it now serves %.0f %% of the traffic, and it has a bug", service, bad, fault.Share*100))
	page, paged := s.awaitPage(ctx, service, released, pagePatience)
	if ctx.Err() != nil {
		return
	}
	if paged {
		s.tell(fmt.Sprintf("%.0f seconds after the release the primary is paged: %s", time.Since(released).Seconds(), page.Title), "service", service, "page", page.ID)
	} else {
		s.tell("nobody was paged in time; someone noticed by eye", "service", service)
	}
	s.tryNext(ctx, service)
	s.platform.Clear(fault.Name)
	s.mark(ctx, service, old, "rollback", "on-call", "rolled back "+bad+": "+fault.Message)
	s.tell(fmt.Sprintf("%s is rolled back to %s", service, old))
	if paged && s.awaitResolved(ctx, page.ID) {
		s.tell(fmt.Sprintf("%s has recovered, %.0f minutes after the release; the page is resolved", service, time.Since(released).Minutes()))
	}
}

// tryNext is the pipeline wanting to release again into a burning budget.
func (s *story) tryNext(ctx context.Context, service string) {
	for deadline := time.Now().Add(blockPatience); time.Now().Before(deadline); {
		d, err := s.ask(ctx, service, false)
		if err == nil && d.Verdict == sbmodel.VerdictBlock {
			s.tell(fmt.Sprintf("the pipeline wants to release %s %s, and the gate blocks it: %s", service, s.next(service), d.Summary), "decision", d.ID)
			return
		}
		if !sleep(ctx, 2*poll) {
			return
		}
	}
}

func (s *story) mark(ctx context.Context, service, version, kind, actor, message string) {
	err := s.server.deploy(ctx, sbmodel.Deploy{
		Service: service, Environment: simulate.Environment, Version: version, Kind: kind, Status: "succeeded", Actor: actor, Message: message,
		Started: time.Now().Add(-took(service, version)).UTC(),
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("story: mark a deployment", "error", err)
	}
}

// awaitPage waits for a critical page about service that began after since.
func (s *story) awaitPage(ctx context.Context, service string, since time.Time, patience time.Duration) (sbmodel.Page, bool) {
	told := false
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if !sleep(ctx, poll) {
			return sbmodel.Page{}, false
		}
		pages, err := s.server.pages(ctx)
		if err != nil {
			s.log.Debug("story: read the pages", "error", err)
			continue
		}
		for _, p := range pages {
			if p.Severity == "critical" && p.Status == "firing" && about(p, service) && p.Updated.After(since) {
				return p, true
			}
		}
		if !told {
			told = s.tellBurn(ctx, service)
		}
	}
	return sbmodel.Page{}, false
}

// about says whether a page concerns a service.
func about(p sbmodel.Page, service string) bool {
	if p.Service == service || p.GroupLabels["service"] == service {
		return true
	}
	for _, a := range p.Alerts {
		if a.Labels["service"] == service {
			return true
		}
	}
	return false
}

// tellBurn says once that an SLO of the service burns.
func (s *story) tellBurn(ctx context.Context, service string) bool {
	slos, err := s.server.slos(ctx, service)
	if err != nil {
		return false
	}
	for _, o := range slos {
		for _, b := range o.Burn {
			if b.Window == "5m" && b.Rate > 14 {
				s.tell(fmt.Sprintf("%s burns: %.0f times the sustainable rate over the last 5 minutes", o.DisplayName, b.Rate), "slo", o.Name)
				return true
			}
		}
	}
	return false
}

func (s *story) awaitResolved(ctx context.Context, id string) bool {
	for deadline := time.Now().Add(recoverPatience); time.Now().Before(deadline); {
		if !sleep(ctx, poll) {
			return false
		}
		pages, err := s.server.pages(ctx)
		if err != nil {
			continue
		}
		for _, p := range pages {
			if p.ID == id && p.Status == "resolved" {
				return true
			}
		}
	}
	return false
}
