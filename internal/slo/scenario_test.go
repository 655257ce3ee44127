package slo_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// TestScenarios runs testdata/scenarios. The language, one command a line:
//
//	slo <objective in percent> <window> [timeslices <target>|threshold <value>]
//	start                          time begins: the engine starts
//	traffic <for> [every <step>] good <n> bad <n>     events a minute
//	gauge <for> [every <step>] <value>                a gauge instead of events
//	silence <for>                  time passes without samples
//	restart                        a new engine over what is stored
//	expect state <state>
//	expect burn <window> <rate>    to 1 %
//	expect left <percent>          to 0.1 points
//	expect firing <alert> …        exactly these are active
//	expect reason <text>           the reason contains it
//	expect since <duration>        for so long in its state, to a minute
//	expect page|resolved <alert>   it was sent since the last such line
//	expect verdict <verdict> [critical]
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &scenario{t: t}
			for i, line := range strings.Split(string(text), "\n") {
				line, _, _ = strings.Cut(line, "#")
				if fields := strings.Fields(line); len(fields) > 0 {
					s.at = fmt.Sprintf("%s:%d", file, i+1)
					s.run(fields)
				}
			}
		})
	}
}

type scenario struct {
	t    *testing.T
	at   string
	w    *world
	doc  string
	seen int
}

func (s *scenario) fatal(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s: %s", s.at, fmt.Sprintf(format, args...))
}

func (s *scenario) run(f []string) {
	s.t.Helper()
	switch f[0] {
	case "slo":
		s.doc = document(f[1:])
	case "start":
		s.w = newWorld(s.t, s.doc)
	case "traffic":
		d, every, rest := s.span(f[1:])
		s.w.traffic(d, every, s.number(rest[1]), s.number(rest[3]))
		s.w.settle()
	case "gauge":
		d, every, rest := s.span(f[1:])
		s.w.gauge(d, every, s.number(rest[0]))
		s.w.settle()
	case "silence":
		s.w.now = s.w.now.Add(s.duration(f[1]))
		s.w.settle()
	case "restart":
		s.w.start()
		s.w.settle()
	case "expect":
		s.expect(f[1], f[2:])
	default:
		s.fatal("unknown command %s", f[0])
	}
}

func (s *scenario) span(f []string) (d, every time.Duration, rest []string) {
	d, every, rest = s.duration(f[0]), 15*time.Second, f[1:]
	if rest[0] == "every" {
		every, rest = s.duration(rest[1]), rest[2:]
	}
	return d, every, rest
}

func (s *scenario) duration(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		return time.Duration(s.number(days) * 24 * float64(time.Hour))
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.fatal("%v", err)
	}
	return d
}

func (s *scenario) number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.fatal("%v", err)
	}
	return v
}

func (s *scenario) status() model.SLOStatus {
	st, err := s.w.engine.SLO(s.t.Context(), "edge-ok")
	if err != nil {
		s.fatal("%v", err)
	}
	return st
}

func (s *scenario) expect(what string, f []string) {
	s.t.Helper()
	st := s.status()
	switch what {
	case "state":
		if string(st.State) != f[0] {
			s.fatal("state is %s (%s), want %s", st.State, st.Reason, f[0])
		}
	case "burn":
		for _, b := range st.Burn {
			if b.Window == f[0] {
				if want := s.number(f[1]); math.Abs(b.Rate-want) > 0.01*want {
					s.fatal("burn over %s is %v, want %v", f[0], b.Rate, want)
				}
				return
			}
		}
		s.fatal("no burn over %s", f[0])
	case "left":
		if want := s.number(f[0]); math.Abs(st.Budget.LeftRatio*100-want) > 0.1 {
			s.fatal("left is %v %%, want %v", st.Budget.LeftRatio*100, want)
		}
	case "firing":
		want := slices.Clone(f)
		if !slices.Equal(st.Alerts, want) {
			s.fatal("active alerts are %v, want %v", st.Alerts, want)
		}
	case "reason":
		if want := strings.Join(f, " "); !strings.Contains(st.Reason, want) {
			s.fatal("reason is %q, want %q in it", st.Reason, want)
		}
	case "since":
		if got, want := s.w.now.Sub(*st.Since), s.duration(f[0]); (got - want).Abs() > time.Minute {
			s.fatal("in its state for %s, want %s", got, want)
		}
	case "page", "resolved":
		s.expectSent(what == "page", f[0])
	case "verdict":
		s.expectVerdict(f)
	default:
		s.fatal("unknown expectation %s", what)
	}
}

func (s *scenario) expectSent(firing bool, name string) {
	s.t.Helper()
	for _, a := range s.w.sent[s.seen:] {
		if a.Labels["alertname"] == name && a.EndsAt.After(s.w.now) == firing {
			s.seen = len(s.w.sent)
			return
		}
	}
	s.fatal("%s was not sent (firing: %v)", name, firing)
}

func document(f []string) string {
	method, objective, sli := "Occurrences", "", `ratioMetric:
        good: {metricSource: {spec: {query: 'sum(requests_total{service="edge",status="ok"})'}}}
        total: {metricSource: {spec: {query: 'sum(requests_total{service="edge"})'}}}`
	if len(f) > 2 {
		method = "Timeslices"
		objective = ", timeSliceTarget: " + f[3]
		if f[2] == "threshold" {
			objective = ", op: lte, value: " + f[3]
			sli = `thresholdMetric: {metricSource: {spec: {query: 'max(queue_age_seconds{service="edge"})'}}}`
		}
	}
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: edge-ok, displayName: Edge answers}
spec:
  service: edge
  budgetingMethod: %s
  timeWindow: [{duration: %s, isRolling: true}]
  objectives: [{targetPercent: %s%s}]
  indicator:
    spec:
      %s
`, method, f[1], f[0], objective, sli)
}
