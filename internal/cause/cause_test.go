package cause

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

var onset = time.Date(2026, 11, 21, 14, 2, 0, 0, time.UTC)

func marker(after time.Duration, kind, version string) model.Deploy {
	return model.Deploy{Service: "edge", Time: onset.Add(after), Kind: kind, Version: version, Status: "succeeded"}
}

func TestTheChangeThatIsNamed(t *testing.T) {
	const ongoing = 20 * time.Minute // after the onset the question is asked
	running := func(vs ...Version) map[string][]Version { return map[string][]Version{"edge": vs} }
	staged := marker(-time.Minute, "deploy", "2")
	staged.Environment = "staging"
	rolling := marker(4*time.Minute, "deploy", "2")
	rolling.Started = onset.Add(-time.Minute)
	for _, tc := range []struct {
		name     string
		asked    time.Duration // 0 is ongoing
		until    time.Duration // 0 lasts
		changes  []model.Deploy
		versions map[string][]Version
		want     string
	}{
		{name: "nothing was released"},
		{name: "a release long before has nothing to do with it", changes: []model.Deploy{marker(-5*time.Hour, "deploy", "1")}},
		{name: "the release just before", changes: []model.Deploy{marker(-time.Minute, "deploy", "2"), marker(-20*time.Minute, "deploy", "1")}, want: ", right after version 2"},
		{name: "a release half an hour before: a pool that ran empty", changes: []model.Deploy{marker(-30*time.Minute, "deploy", "2")}, want: ", 30 m after version 2"},
		{name: "a marker that came when the pipeline was done", changes: []model.Deploy{marker(time.Minute, "deploy", "2")}, want: ", right after version 2"},
		{name: "a slow release that had begun before", changes: []model.Deploy{rolling}, want: ", right after version 2"},
		{name: "a change of settings", changes: []model.Deploy{marker(-time.Minute, "config", "pool-20")}, want: ", right after the change pool-20"},
		{name: "another environment's", changes: []model.Deploy{staged}},
		{
			name: "rolled back a minute ago: the windows still see it", asked: 5 * time.Minute,
			changes: []model.Deploy{marker(-30*time.Second, "deploy", "2"), marker(4*time.Minute, "rollback", "1")},
			want:    ", right after version 2, undone at 14:06 UTC",
		},
		{
			name:    "rolled back long ago, and it goes on",
			changes: []model.Deploy{marker(-30*time.Second, "deploy", "2"), marker(4*time.Minute, "rollback", "1")},
			want:    ", not by version 2, which was rolled back at 14:06 UTC, and it went on",
		},
		{
			name:    "replaced by a repair long ago, and it goes on",
			changes: []model.Deploy{marker(-30*time.Second, "deploy", "2"), marker(4*time.Minute, "deploy", "3")},
			want:    ", not by version 2, which was replaced by 3 at 14:06 UTC, and it went on",
		},
		{
			name:    "a rollback that failed undid nothing",
			changes: []model.Deploy{marker(-30*time.Second, "deploy", "2"), {Service: "edge", Time: onset.Add(4 * time.Minute), Kind: "rollback", Version: "1", Status: "failed"}},
			want:    ", right after version 2",
		},
		{
			name: "an episode that ended with the rollback", until: 5 * time.Minute,
			changes: []model.Deploy{marker(-30*time.Second, "deploy", "2"), marker(4*time.Minute, "rollback", "1")},
			want:    ", right after version 2, undone at 14:06 UTC",
		},
		{
			name: "the rollback after it takes no traffic yet", asked: 5 * time.Minute,
			changes:  []model.Deploy{marker(-30*time.Second, "deploy", "2"), {Service: "edge", Time: onset.Add(4 * time.Minute), Started: onset.Add(-time.Minute), Kind: "rollback", Version: "1", Status: "succeeded"}},
			versions: running(Version{"2", 10, 3}), want: ", right after version 2, undone at 14:06 UTC",
		},
		{name: "a rollback alone may be", changes: []model.Deploy{marker(-30*time.Second, "rollback", "1")}, want: ", right after the rollback to 1"},
		{
			name:    "the version rolled back before it began is not, the rollback may be",
			changes: []model.Deploy{marker(-10*time.Minute, "deploy", "2"), marker(-time.Minute, "rollback", "1")}, want: ", right after the rollback to 1",
		},
		{
			name: "a version that takes no traffic fails no request", changes: []model.Deploy{marker(-time.Minute, "deploy", "2")},
			versions: running(Version{"1", 10, 3}), want: ", not by version 2, which takes no traffic",
		},
		{
			name: "a canary that fails less than what runs beside it", changes: []model.Deploy{marker(-time.Minute, "deploy", "2")},
			versions: running(Version{"1", 9, 3}, Version{"2", 1, 0}), want: ", not by version 2, which fails less than the versions beside it",
		},
		{
			name: "a canary that fails more", changes: []model.Deploy{marker(-time.Minute, "deploy", "2")},
			versions: running(Version{"1", 9, 0.01}, Version{"2", 1, 0.5}), want: ", right after version 2",
		},
		{
			name: "telemetry without versions rules nothing out", changes: []model.Deploy{marker(-time.Minute, "deploy", "2")},
			versions: running(Version{"", 10, 3}), want: ", right after version 2",
		},
		{
			name: "a setting has no traffic of its own", changes: []model.Deploy{marker(-time.Minute, "config", "pool-20")},
			versions: running(Version{"1", 10, 3}), want: ", right after the change pool-20",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Symptom{Service: "edge", Environment: "prod", Since: onset, At: onset.Add(ongoing), Window: 2 * time.Minute}
			if tc.asked != 0 {
				s.At = onset.Add(tc.asked)
			}
			if tc.until != 0 {
				s.Until = onset.Add(tc.until)
			}
			got := Of(s, Facts{Changes: tc.changes, Versions: tc.versions})
			for _, r := range got.RuledOut {
				if Mends(&r.Change) {
					t.Errorf("a rollback is among the suspects: %+v", r)
				}
			}
			if got.Text != tc.want {
				t.Errorf("got  %q\nwant %q", got.Text, tc.want)
			}
			if named := strings.Contains(tc.want, "right after") || strings.Contains(tc.want, "m after"); named != (got.Kind == model.CauseChange) || named != (got.Change != nil) {
				t.Errorf("kind %s, change %v", got.Kind, got.Change)
			}
		})
	}
}

func call(client, server string, errors uint64) model.Edge {
	return model.Edge{Client: client, Server: server, Kind: "call", Calls: 100, Errors: errors}
}

func TestAnUpstreamThatFailsComesBeforeTheServicesOwnChanges(t *testing.T) {
	own := marker(-time.Minute, "deploy", "2.5.0")
	theirs := model.Deploy{Service: "access", Time: onset.Add(-3 * time.Minute), Kind: "deploy", Version: "1.10.0", Status: "succeeded"}
	access := Failing{Service: "access", Since: onset.Add(-2 * time.Minute), What: "SLOBurnRateFast"}
	db := Failing{Service: "db", Since: onset.Add(-4 * time.Minute)}
	chain := []model.Edge{call("edge", "access", 60), call("access", "db", 55)}
	failed := map[string]float64{"edge": 60, "access": 60}
	for _, tc := range []struct {
		name  string
		facts Facts
		slow  bool
		kind  string
		path  []string
		want  string
	}{
		{
			name: "it burns and its failed calls explain the symptom", kind: model.CauseUpstream, path: []string{"edge", "access"},
			facts: Facts{Edges: chain, Failed: failed, Failing: []Failing{access}},
			want:  ", because access, which edge calls (edge calls access), has failed since 14:00 UTC, right after version 1.10.0",
		},
		{
			name: "the root is named, not what lies between", kind: model.CauseUpstream, path: []string{"edge", "access", "db"},
			facts: Facts{Edges: chain, Failed: failed, Failing: []Failing{access, db}},
			want:  ", because db, which edge depends on (edge calls access calls db), has failed since 13:58 UTC",
		},
		{
			name: "who alerting names comes first", kind: model.CauseUpstream, path: []string{"edge", "access"},
			facts: Facts{Edges: chain, Failed: failed, Failing: []Failing{access, db}, Named: "access"},
			want:  ", because access, which edge calls (edge calls access), has failed since 14:00 UTC, right after version 1.10.0",
		},
		{
			name: "few of the failures are calls to it: the service has a cause of its own", kind: model.CauseChange,
			facts: Facts{Edges: []model.Edge{call("edge", "access", 5)}, Failed: failed, Failing: []Failing{access}}, want: ", right after version 2.5.0",
		},
		{
			name: "a latency needs no failed calls", slow: true, kind: model.CauseUpstream, path: []string{"edge", "access"},
			facts: Facts{Edges: []model.Edge{call("edge", "access", 0)}, Failed: failed, Failing: []Failing{access}},
			want:  ", because access, which edge calls (edge calls access), has failed since 14:00 UTC, right after version 1.10.0",
		},
		{
			name: "it began long after", kind: model.CauseChange,
			facts: Facts{Edges: chain, Failed: failed, Failing: []Failing{{Service: "access", Since: onset.Add(6 * time.Minute)}}}, want: ", right after version 2.5.0",
		},
		{
			name: "another region's failure", kind: model.CauseChange,
			facts: Facts{Edges: chain, Failed: failed, Failing: []Failing{{Service: "access", Region: "us-1", Since: access.Since}}}, want: ", right after version 2.5.0",
		},
		{
			name: "nobody calls it", kind: model.CauseChange,
			facts: Facts{Edges: []model.Edge{call("access", "edge", 60)}, Failed: failed, Failing: []Failing{access}}, want: ", right after version 2.5.0",
		},
		{
			name: "messages, which nobody waits for", kind: model.CauseChange,
			facts: Facts{Edges: []model.Edge{{Client: "edge", Server: "access", Kind: "queue", Calls: 100, Errors: 60}}, Failed: failed, Failing: []Failing{access}},
			want:  ", right after version 2.5.0",
		},
		{
			name: "in a circle the one that began first is the cause", kind: model.CauseUpstream, path: []string{"edge", "access"},
			facts: Facts{Edges: []model.Edge{call("edge", "access", 60), call("access", "edge", 60)}, Failed: failed, Failing: []Failing{access}},
			want:  ", because access, which edge calls (edge calls access), has failed since 14:00 UTC, right after version 1.10.0",
		},
		{
			name: "in a circle, but it began later", kind: model.CauseChange,
			facts: Facts{Edges: []model.Edge{call("edge", "access", 60), call("access", "edge", 60)}, Failed: failed, Failing: []Failing{{Service: "access", Since: onset.Add(time.Minute)}}},
			want:  ", right after version 2.5.0",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.facts.Changes = []model.Deploy{own, theirs}
			got := Of(Symptom{Service: "edge", Region: "eu-1", Since: onset, At: onset.Add(3 * time.Minute), Window: 2 * time.Minute, Slow: tc.slow}, tc.facts)
			if got.Kind != tc.kind || got.Text != tc.want || !slices.Equal(got.Path, tc.path) {
				t.Errorf("got  %s %v %q\nwant %s %v %q", got.Kind, got.Path, got.Text, tc.kind, tc.path, tc.want)
			}
		})
	}
}
