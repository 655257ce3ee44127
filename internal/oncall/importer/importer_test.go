package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall"
)

var now = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func readAll(t *testing.T, tool string) Outcome {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", tool, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	var files []File
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{p, text})
	}
	return outcome(t, tool, files...)
}

func outcome(t *testing.T, tool string, files ...File) Outcome {
	t.Helper()
	out, err := Read(tool, now, files)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// loaded is an outcome as a server reads it from its file.
func loaded(t *testing.T, o Outcome) oncall.Roster {
	t.Helper()
	text, err := o.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "oncall.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	roster, problems := oncall.Load([]string{file})
	if len(problems) > 0 {
		t.Fatalf("%+v\n%s", problems, text)
	}
	return roster
}

// present are all who are on call at a moment by the schedules that one of the tool became, overrides included.
func present(t *testing.T, r oncall.Roster, overrides []oncall.Override, schedule string, at time.Time) string {
	t.Helper()
	var out []string
	for _, d := range r.Schedules {
		if d.Name != schedule && !strings.HasPrefix(d.Name, schedule+"-") {
			continue
		}
		who := ""
		spans, err := d.Spans(at, at.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans {
			who = s.Person
		}
		for _, o := range overrides {
			if o.Schedule == d.Name && !at.Before(o.Start) && at.Before(o.End) {
				who = o.Person
			}
		}
		if who != "" && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func losses(o Outcome) string {
	var b strings.Builder
	for _, l := range o.Lost {
		fmt.Fprintf(&b, "%s: %s\n", l.Where, l.Why)
	}
	return b.String()
}

// Everything is carried, or named with the reason.
func TestExportsBecomeOnCallFiles(t *testing.T) {
	for _, c := range []struct {
		tool                          string
		people, schedules, policies   int
		overrides                     int
		yaml, lost, commands, notLost []string
	}{
		{
			"pagerduty", 3, 1, 1, 1,
			[]string{"name: ada", `address: "+4915112345678"`, "channel: voice", "after: 5m", "begins: \"2026-01-12T08:00:00Z\"", "days: [mon, wed]", "services: [checkout-api]", "after: 35m", "repeat: 2", "repeat_after: 30m"},
			[]string{"each page of schedules says that there are more", "the contact Phone of kind push_notification", "rule for low urgency", "no addresses of contacts", "ended on 2025-01-01", "no user PLEE001", `"Mars/Olympus" is none`, "the schedule Mars is not among", "Nobody: it tells nobody", `whether it is "checkout-api"`},
			[]string{"signalbox oncall override platform-primary --person ada --start 2026-07-01T06:00:00Z --end 2026-07-02T06:00:00Z --reason 'imported from PagerDuty'"},
			[]string{"2026-01-20"},
		},
		{
			"opsgenie", 3, 2, 1, 2,
			[]string{"name: platform_schedule", "name: platform_schedule-2", "team: platform", `address: "+4915112345678"`, "after: 55m", "repeat_after: 10m", "match:"},
			[]string{"mobile_app", "turn of the team Edge", "Old: it is disabled", "rule 2 tells \"next\"", "rule 3 goes on until the alert is closed", "tells the team Platform", "closes the alert", "no user u-lee"},
			[]string{"platform_schedule-2 --person kim"},
			nil,
		},
		{
			"grafana-oncall", 3, 3, 1, 2,
			[]string{"name: primary", "name: primary-2", "name: calendar", "America/New_York", "after: 15m", "repeat: 5"},
			[]string{"shift Monthly: it comes monthly", "step 3 is of kind trigger_webhook", "important rules", "its rule has COUNT", "routes of integrations"},
			[]string{"primary --person lee", "primary-2 --person lee"},
			[]string{"secret", "Nights", "Launch"},
		},
		{
			"goalert", 3, 2, 1, 5,
			[]string{"name: platform", "people: [lee, ada, kim]", "after: 10m", "repeat_after: 20m", "services: [checkout]", "channel: sms"},
			[]string{"SLACK_DM", "rule after 5 min", "goes by the clocks of Europe/Berlin", "has nobody from 2026-07-02", "adds or removes", "tells the slackChannel #ops"},
			[]string{"--person lee --start 2026-07-01T05:00:00Z", "from a temporary schedule"},
			nil,
		},
	} {
		t.Run(c.tool, func(t *testing.T) {
			o := readAll(t, c.tool)
			loaded(t, o)
			text, _ := o.YAML()
			lost, commands := losses(o), string(o.Commands())
			if len(o.People) != c.people || len(o.Schedules) != c.schedules || len(o.Policies) != c.policies || len(o.Overrides) != c.overrides {
				t.Errorf("%d people, %d schedules, %d policies, %d overrides\n%s%s", len(o.People), len(o.Schedules), len(o.Policies), len(o.Overrides), text, commands)
			}
			for what, has := range map[string][]string{string(text): c.yaml, lost: c.lost, commands: c.commands} {
				for _, want := range has {
					if !strings.Contains(what, want) {
						t.Errorf("%q is not in\n%s", want, what)
					}
				}
			}
			for _, not := range c.notLost {
				if strings.Contains(lost+commands, not) {
					t.Errorf("%q is in\n%s%s", not, lost, commands)
				}
			}
		})
	}
}

func TestWhatIsNoExportIsSaid(t *testing.T) {
	for _, c := range []struct{ tool, text, says string }{
		{"pagerduty", "hello", "a.json: it is no JSON"},
		{"pagerduty", `{"users":[`, "a.json: it is no JSON"},
		{"pagerduty", `{"users":[]}`, "there is nothing of pagerduty in the files"},
		{"pagerduty", `{"schedules":[{"id":"P","name":"x","schedule_layers":[{"start":"yesterday"}]}]}`, "a.json: "},
		{"goalert", `{"errors":[{"message":"unauthorized"}]}`, "answered with an error"},
		{"victorops", `{}`, `--from "victorops" is unknown`},
	} {
		if _, err := Read(c.tool, now, []File{{"a.json", []byte(c.text)}}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v", c.tool, c.text, err)
		}
	}
	o := outcome(t, "pagerduty", File{"a.json", []byte(`{"schedules":[{"id":"P1","type":"schedule","name":"x","time_zone":"UTC"}]}`)})
	if !strings.Contains(losses(o), "include[]=schedule_layers") {
		t.Error(losses(o))
	}
}

func FuzzRead(f *testing.F) {
	for _, tool := range Tools() {
		paths, _ := filepath.Glob(filepath.Join("testdata", tool, "*"))
		for _, p := range paths {
			text, _ := os.ReadFile(p)
			f.Add(tool, text)
		}
	}
	f.Fuzz(func(t *testing.T, tool string, text []byte) {
		o, err := Read(tool, now, []File{{"oncall.ics", text}})
		if err != nil {
			return
		}
		if _, err := o.YAML(); err != nil {
			t.Fatal(err)
		}
	})
}
