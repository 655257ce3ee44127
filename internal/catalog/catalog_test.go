package catalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// series is telemetry: label sets, of which values are asked.
type series struct{ sets []labels.Labels }

// asked is a querier of which label values alone are asked.
type asked struct {
	storage.Querier
	*series
}

func (s *series) Querier(int64, int64) (storage.Querier, error) { return asked{series: s}, nil }

func (asked) Close() error { return nil }

func (s asked) LabelValues(_ context.Context, name string, _ *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var out []string
	for _, set := range s.sets {
		fits := set.Has(name) && !slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(set.Get(m.Name)) })
		if fits && !slices.Contains(out, set.Get(name)) {
			out = append(out, set.Get(name))
		}
	}
	return out, nil, nil
}

// room has a file's text in force.
func room(t *testing.T, text string, deps Deps, sets ...labels.Labels) *Room {
	t.Helper()
	deps.Series = &series{sets: sets}
	r, err := New(deps)
	if err != nil {
		t.Fatal(err)
	}
	if text != "" {
		put(t, r, text)
	}
	if err := r.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func put(t *testing.T, r *Room, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
}

func parse(text string) (Sheet, []document.Problem) {
	return buildSheet([]document.File{{Path: "a.yaml", Text: []byte(text)}})
}

func bound(t *testing.T, namespaces ...string) context.Context {
	t.Helper()
	return access.With(t.Context(), &access.Access{Scope: access.Scope{Names: namespaces}})
}

const shop = `
teams:
  - {name: org, chat: "#org", schedule: org-primary}
  - {name: pay, parent: org, escalation: pay-policy}
  - {name: web, parent: org, chat: "#web"}
services:
  - {name: checkout, namespace: pay, team: pay, tier: 1, depends_on: [ledger-db], runbooks: ["https://wiki.example.com/checkout"]}
  - {name: front, team: web, telemetry: [front-eu, front-us], depends_on: [checkout], excused: {no_slo: a page of text}}
  - {name: api, namespace: pay, team: pay}
  - {name: api, namespace: web, team: web}
  - {name: ledger-db, kind: resource, team: pay}
  - {name: shapes, kind: library}
  - {name: batch}
`

func TestOwners(t *testing.T) {
	r := room(t, shop, Deps{},
		labels.FromStrings("__name__", "target_info", "service", "batch", "team", "web"),
		labels.FromStrings("__name__", "target_info", "service", "loose", "namespace", "x", "service_team", "pay"),
		labels.FromStrings("__name__", "target_info", "service", "torn", "team", "web"),
		labels.FromStrings("__name__", "target_info", "service", "torn", "team", "pay"),
		labels.FromStrings("__name__", "ALERTS", "service", "ghost", "team", "pay"),
	)
	for _, c := range []struct{ service, namespace, want string }{
		{"checkout", "pay", "checkout pay 1 pay-policy  #org 1"},
		{"checkout", "", "checkout pay 1 pay-policy  #org 1"}, // the only one of its name
		{"checkout", "other", ""},                             // another service
		{"front-us", "eu", "front web 0  org-primary #web 0"},
		{"front", "", ""}, // telemetry has another name for it
		{"api", "web", "api web 0  org-primary #web 0"},
		{"api", "", ""}, // two are called so
		{"batch", "", "batch web 0  org-primary #web 0"},
		{"loose", "x", "loose pay 0 pay-policy  #org 0"},
		{"loose", "", "loose pay 0 pay-policy  #org 0"},
		{"torn", "", ""},
		{"ghost", "", ""},
		{"", "", ""},
	} {
		o, ok := r.Owner(c.service, c.namespace)
		got := ""
		if ok {
			got = fmt.Sprintf("%s %s %d %s %s %s %d", o.Service, o.Team, o.Tier, o.Escalation, o.Schedule, o.Chat, len(o.Runbooks))
		}
		if got != c.want {
			t.Errorf("%s/%s: %q, want %q", c.namespace, c.service, got, c.want)
		}
	}
}

func TestGapsAreWhatIsMissing(t *testing.T) {
	deps := Deps{
		HasSLO: func(_ context.Context, s string) (bool, error) { return s == "checkout", nil },
		OnCall: func(_, _, escalation, _ string) bool { return escalation != "" },
		Runbooks: func(service string) []Runbook {
			if service == "api" {
				return []Runbook{{Name: "api-down", Title: "API down", URL: "/runbooks/api-down"}}
			}
			return nil
		},
	}
	r := room(t, shop, deps,
		labels.FromStrings("__name__", "up", "service", "checkout", "namespace", "pay"),
		labels.FromStrings("__name__", "signalbox_slo_ratio", "service", "batch"),
		labels.FromStrings("__name__", "signalbox_span_duration_seconds_count", "service", "stray", "namespace", "x"),
	)
	list, err := r.Gaps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range list.Gaps {
		got = append(got, g.Service+"/"+g.Namespace+" "+string(g.Gap))
		if strings.Contains(g.Text+g.Cure, "%") {
			t.Errorf("%q %q", g.Text, g.Cure)
		}
	}
	want := []string{
		"api/pay no_slo", "api/pay not_seen",
		"api/web no_on_call", "api/web no_slo", "api/web not_seen",
		"batch/ no_owner", "batch/ no_runbook", "batch/ no_slo", "batch/ not_seen",
		"front/ no_on_call", "front/ no_runbook", "front/ not_seen",
		"shapes/ no_owner",
		"stray/x not_in_catalogue", "stray/x no_owner", "stray/x no_runbook", "stray/x no_slo",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if len(list.Excused) != 1 || list.Excused[0].Excused != "a page of text" || list.Summary != "17 gaps in 6 of 8 services." {
		t.Errorf("%+v %s", list.Excused, list.Summary)
	}
}

func TestWithoutFilesTelemetryIsTheCatalogue(t *testing.T) {
	r := room(t, "", Deps{}, labels.FromStrings("__name__", "up", "service", "a", "team", "x"))
	list, err := r.List(t.Context())
	if err != nil || len(list.Services) != 1 || list.Services[0].Team != "x" || list.Services[0].Source != FromTelemetry {
		t.Errorf("%+v %v", list, err)
	}
	for _, g := range list.Services[0].Gaps {
		if g.Gap == NotInCatalogue {
			t.Error("nobody has a catalogue to be in")
		}
	}
}

func TestDependenciesAreDeclaredAndSeen(t *testing.T) {
	edges := func(context.Context, store.Range) ([]model.Edge, error) {
		return []model.Edge{{Client: "front-eu", Server: "checkout"}, {Client: "front-us", Server: "checkout"}, {Client: "checkout", Server: "risk"}, {Client: "checkout", Server: "checkout"}}, nil
	}
	r := room(t, shop, Deps{Edges: edges}, labels.FromStrings("__name__", "up", "service", "risk", "namespace", "trade"))
	e, err := r.Get(t.Context(), "checkout", "")
	if err != nil || fmt.Sprint(e.DependsOn, e.Dependents) != "[{ledger-db true false} {risk false true}] [{front true true}]" {
		t.Errorf("%v %v %v", e.DependsOn, e.Dependents, err)
	}
	// Of another's service its namespace alone is told.
	e, err = r.Get(bound(t, "pay"), "checkout", "")
	if err != nil || !strings.Contains(fmt.Sprint(e.DependsOn), "hidden: team trade") || strings.Contains(fmt.Sprint(e), "risk") {
		t.Errorf("%v %v", e.DependsOn, err)
	}
}

func TestNamespacesOfOthersAreNotThere(t *testing.T) {
	r := room(t, shop, Deps{}, labels.FromStrings("__name__", "up", "service", "batch", "namespace", "web"), labels.FromStrings("__name__", "up", "service", "zebra", "namespace", "trade"))
	list, err := r.List(bound(t, "pay"))
	var names []string
	for _, e := range list.Services {
		names = append(names, e.Service+"/"+e.Namespace)
	}
	if want := []string{"api/pay", "checkout/pay"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v %v", names, err)
	}
	if len(list.Teams) != 1 || list.Teams[0].Name != "pay" {
		t.Errorf("teams %+v", list.Teams)
	}
	_, foreign := r.Get(bound(t, "pay"), "zebra", "")
	_, none := r.Get(bound(t, "pay"), "zebrb", "")
	if foreign == nil || none == nil || strings.ReplaceAll(foreign.Error(), "zebra", "x") != strings.ReplaceAll(none.Error(), "zebrb", "x") {
		t.Errorf("%v\n%v", foreign, none)
	}
	if list, err := r.List(bound(t, "web")); err != nil || !slices.ContainsFunc(list.Services, func(e Entry) bool { return e.Service == "batch" }) {
		t.Errorf("seen in web: %+v %v", list.Services, err)
	}
	if _, err := r.Get(t.Context(), "api", ""); err == nil || !strings.Contains(err.Error(), "one of pay, web") {
		t.Error(err)
	}
}

// Labels are an alert's identity: it keeps the team that it began with, and a new one has the new team.
func TestAnAlertKeepsItsTeam(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := room(t, "services: [{name: a, team: one}]", Deps{Now: func() time.Time { return now }})
	ls := model.Labels{"alertname": "X", "service": "a"}
	if got := r.WithTeam(ls); got["team"] != "one" || ls["team"] != "" {
		t.Error(got, ls)
	}
	other := model.Labels{"alertname": "Y", "service": "b"}
	if got := r.WithTeam(other); got["team"] != "" {
		t.Error(got)
	}
	put(t, r, "services: [{name: a, team: two}, {name: b, team: two}]")
	for range 3 {
		if got := r.WithTeam(ls); got["team"] != "one" {
			t.Error(got)
		}
		if got := r.WithTeam(other); got["team"] != "" {
			t.Error("it began without", got)
		}
		now = now.Add(keptFor - time.Minute)
	}
	if got := r.WithTeam(model.Labels{"alertname": "Z", "service": "a"}); got["team"] != "two" {
		t.Error(got)
	}
	if got := r.Labelled(ls); got["team"] != "two" {
		t.Error(got)
	}
	now = now.Add(2 * keptFor)
	if got := r.WithTeam(ls); got["team"] != "two" {
		t.Error("it ended meanwhile", got)
	}
	for _, same := range []model.Labels{{"service": "a", "team": "mine"}, {"alertname": "no service"}} {
		if got := r.WithTeam(same); len(got) != len(same) || got["team"] != same["team"] {
			t.Error(got)
		}
	}
}

func TestTheExampleIsReadWithoutAWord(t *testing.T) {
	sheet, problems := Load([]string{"../../examples/broker/catalog/*.yaml"})
	if len(problems) > 0 || len(sheet.Services) != 10 || len(sheet.Teams) != 7 {
		t.Errorf("%d services, %d teams, %v", len(sheet.Services), len(sheet.Teams), problems)
	}
}
