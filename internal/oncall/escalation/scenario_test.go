package escalation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// scenario is a file that an operator reads: who is there, what happens, who is told when.
type scenario struct {
	What   string   `yaml:"what"`
	OnCall string   `yaml:"oncall"`
	Begin  string   `yaml:"begin"`
	Events []happen `yaml:"events"`
	Until  string   `yaml:"until"`
	Expect []string `yaml:"expect"` // +5m ada push page P1
	States map[string]State
	Says   []string `yaml:"says"` // what some event of the first page says
}

type happen struct {
	At      string            `yaml:"at"`
	Fire    string            `yaml:"fire"`
	Labels  map[string]string `yaml:"labels"`
	Ack     string            `yaml:"ack"`
	By      string            `yaml:"by"`
	Resolve string            `yaml:"resolve"`
	Down    string            `yaml:"down"`
	Up      string            `yaml:"up"`
	Refuse  string            `yaml:"refuse"`
	Silence *bool             `yaml:"silence"`
	Restart bool              `yaml:"restart"`
	Stop    string            `yaml:"stop"`  // for how long nothing runs
	Clock   string            `yaml:"clock"` // jumps by this
}

func (h happen) do(t *testing.T, w *world) {
	t.Helper()
	switch {
	case h.Fire != "":
		w.fire(h.Fire, h.Labels)
	case h.Ack != "":
		if _, err := w.engine.Acknowledge(context.Background(), h.Ack, h.By, "test"); err != nil {
			t.Fatal(err)
		}
	case h.Resolve != "":
		w.resolve(h.Resolve)
	case h.Down != "":
		w.down[h.Down] = true
	case h.Up != "":
		w.down[h.Up] = false
	case h.Refuse != "":
		w.refusing[h.Refuse] = true
	case h.Silence != nil:
		w.silenced = *h.Silence
	case h.Stop != "":
		w.at = w.at.Add(duration(t, h.Stop))
		w.restart()
	case h.Clock != "":
		w.at = w.at.Add(duration(t, h.Clock))
		w.engine.find(context.Background(), true, w.at)
	case h.Restart:
		w.restart()
	}
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every file below testdata/scenarios holds.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.yml")
	if err != nil || len(files) < 12 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) { play(t, file) })
	}
}

func play(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s scenario
	if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	begin, err := time.Parse(time.RFC3339, s.Begin)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, begin, s.OnCall)
	shift := time.Duration(0) // of a clock that was moved: lines of the file go on with true time
	for _, h := range s.Events {
		w.until(begin.Add(duration(t, h.At) + shift))
		h.do(t, w)
		if h.Clock != "" {
			shift += duration(t, h.Clock)
		}
		w.drain()
	}
	w.until(begin.Add(duration(t, s.Until) + shift))
	var got []string
	for _, m := range w.sent {
		who := m.To.Person
		if who == "" {
			who = m.To.Address
		}
		line := fmt.Sprintf("+%s %s %s %s %s", m.Time.Sub(begin), who, m.To.Channel, m.Kind, m.Level)
		if i := strings.Index(m.Text, "and "); i >= 0 && strings.Contains(m.Text, " more") {
			line += " " + strings.Fields(m.Text[i:])[0] + " " + strings.Fields(m.Text[i:])[1] + " more"
		}
		got = append(got, line)
		if m.DedupKey != "key of "+m.Page.ID {
			t.Errorf("%s has the key %q", line, m.DedupKey)
		}
	}
	expect := slices.Clone(s.Expect)
	slices.Sort(got)
	slices.Sort(expect)
	if strings.Join(got, "\n") != strings.Join(expect, "\n") {
		t.Errorf("%s\ntold:\n  %s\nexpected:\n  %s", s.What, strings.Join(got, "\n  "), strings.Join(expect, "\n  "))
	}
	for id, want := range s.States {
		if rec := w.record(id); rec.State != want {
			t.Errorf("%s is %s, expected %s\n%s", id, rec.State, want, strings.Join(lines(rec), "\n"))
		}
	}
	for _, want := range s.Says {
		if text := strings.Join(saidBy(w), "\n"); !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%s", want, text)
		}
	}
}

func saidBy(w *world) (out []string) {
	for id := range w.pages {
		out = append(out, lines(w.record(id))...)
	}
	return out
}

func lines(r Record) (out []string) {
	for _, e := range r.Events {
		out = append(out, e.Time.Format("15:04:05 ")+e.Text)
	}
	return out
}
