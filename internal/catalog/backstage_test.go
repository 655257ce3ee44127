package catalog

import (
	"fmt"
	"strings"
	"testing"
)

const acme = `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: Team-A, annotations: {signalbox.dev/escalation: a-policy, signalbox.dev/chat: "#a"}}
spec: {type: team, profile: {displayName: Team A, email: a@example.com, picture: "https://x"}, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: music}
spec: {owner: group:default/team-a, domain: audio}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: player
  description: Plays.
  annotations:
    github.com/project-slug: acme/player
    backstage.io/kubernetes-namespace: media
    signalbox.dev/service: player-api, player-worker
    signalbox.dev/tier: "1"
    signalbox.dev/runbooks: player-down
    signalbox.dev/excused: "no_slo: it only plays"
  links: [{url: "https://wiki.example.com/player", title: Runbook of the player, icon: book}]
spec:
  type: service
  lifecycle: production
  system: music
  consumesApis: [catalog-api, api:other/absent]
  dependsOn: [resource:songs-db, player-lib]
  implementation: {whatever: true}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: songs}
spec: {type: service, lifecycle: experimental, owner: {kind: Group, name: team-a}, providesApis: [catalog-api], subcomponentOf: player}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: catalog-api}
spec: {type: openapi, lifecycle: production, owner: team-a, definition: {$text: ./openapi.yaml}}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: songs-db}
spec: {type: database, owner: user:jo, dependencyOf: [component:songs]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jo}
spec: {memberOf: [team-a]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: player-lib}
spec: {type: library, lifecycle: production, owner: team-a}
`

func TestEntitiesOfBackstageAreServicesAndTeams(t *testing.T) {
	sheet, problems := parse(acme)
	var said []string
	for _, p := range problems {
		said = append(said, p.Error())
	}
	// jo is a person: no team that an alert could go to.
	if len(said) != 2 || !strings.Contains(said[0], `"player-lib" says no kind, which Backstage refuses`) || !strings.Contains(said[1], `belongs to "jo"`) {
		t.Errorf("%q", said)
	}
	var got []string
	for _, s := range sheet.Services {
		got = append(got, fmt.Sprintf("%s %s %s %s %d %v %v %v %d %v", s.Name, s.Namespace, s.Kind, s.Team, s.Tier, s.Telemetry, s.DependsOn, s.Runbooks, len(s.Links), s.Excused))
	}
	want := []string{
		"player media service Team-A 1 [player-api player-worker] [player-lib songs songs-db] [player-down https://wiki.example.com/player] 2 map[no_slo:it only plays]",
		"songs  service Team-A 0 [] [songs-db] [] 0 map[]",
		"songs-db  resource jo 0 [] [] [] 0 map[]",
		"player-lib  library Team-A 0 [] [] [] 0 map[]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(sheet.Teams) != 1 || sheet.Teams[0].Escalation != "a-policy" || sheet.Teams[0].Title != "Team A" || sheet.Teams[0].Email != "a@example.com" {
		t.Errorf("%+v", sheet.Teams)
	}
}

func TestWhatIsWrongIsSaidWhereAndHow(t *testing.T) {
	component := func(spec string) string {
		return "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}\nspec:\n  type: service\n" + spec
	}
	for _, c := range []struct {
		name, text string
		warning    bool
		want       string
	}{
		{"a kind in the namespace's place", component("  dependsOn: [\"resource/default:db\"]"), false, "a.yaml:6: spec.dependsOn: \"resource/default:db\" is no reference: the kind ends with a colon and the namespace with a slash; write resource:default/db"},
		{"one that is no list", component("  dependsOn: component:y"), false, "a.yaml:6: spec.dependsOn must be a list; write `dependsOn: [component:y]`"},
		{"an owner that is none", component("  owner: a/b/c"), false, `a.yaml:6: spec.owner: "a/b/c" is no reference`},
		{"a misspelt key", component("  dependson: [component:y]"), true, `a.yaml:6: spec.dependson: unknown key "dependson"; did you mean "dependsOn"?`},
		{"a misspelt kind", strings.Replace(component(""), "Component", "Compnent", 1), false, `a.yaml:2: kind: kind "Compnent" is unknown; did you mean "component"?`},
		{"a kind of an extension", "apiVersion: acme.com/v1\nkind: Environment\nmetadata: {name: x}\n", true, "is none that is read here"},
		{"a location", "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: x}\nspec: {targets: [./a.yaml]}\n", true, "a Location is not followed; name the files"},
		{"a skeleton", strings.Replace(component(""), "name: x", "name: \"${{ values.name }}\"", 1), false, "this is the skeleton of a template"},
		{"a link that runs", strings.Replace(component(""), "{name: x}", "{name: x, links: [{url: 'javascript:alert(1)'}]}", 1), false, "must be a whole address that begins with http"},
		{"a source that is no page", strings.Replace(component(""), "{name: x}", "{name: x, annotations: {backstage.io/source-location: 'url:javascript:alert(1)'}}", 1), true, "is no link"},
		{"no name", strings.Replace(component(""), "{name: x}", "{title: x}", 1), false, "metadata.name is missing"},
		{"no apiVersion", strings.Replace(component(""), "apiVersion: backstage.io/v1alpha1\n", "", 1), false, "apiVersion is missing; for example `apiVersion: backstage.io/v1alpha1`"},
		{"an entity twice", component("---\n" + component("")), false, `component "x" stands in a.yaml:1 already`},
		{"a tier of 9", strings.Replace(component(""), "{name: x}", "{name: x, annotations: {signalbox.dev/tier: '9'}}", 1), true, "write 1 (the most important) to 4"},
		{"an unknown gap", strings.Replace(component(""), "{name: x}", "{name: x, annotations: {signalbox.dev/excused: 'no_fun: x'}}", 1), true, "write a gap and the reason"},
		{"our own: a misspelt key", "services: [{name: x, teem: a}]", false, `unknown key "teem"; did you mean "team"?`},
		{"our own: a team of no file", "teams: [{name: edge}]\nservices: [{name: x, team: edgy}]", true, `service x belongs to "edgy", which no file has as a team: nothing is known of who that is; did you mean "edge"?`},
		{"our own: a link that runs", "services: [{name: x, links: [{title: a, url: 'data:text/html,x'}]}]", false, "services[0].links[0].url"},
		{"our own: a runbook that runs", "services: [{name: x, runbooks: ['javascript:alert(1)']}]", false, "services[0].runbooks[0]"},
		{"our own: a kind", "services: [{name: x, kind: thing}]", false, `must be service, resource or library, got "thing"`},
		{"our own: a name twice", "services: [{name: x}, {name: x}]", false, `service "x" stands in a.yaml:1 already`},
		{"our own: an excuse without a reason", "services: [{name: x, excused: {no_slo: ''}}]", false, "say why"},
		{"two names in telemetry", "services: [{name: x, telemetry: [n]}, {name: y, telemetry: [n]}]", true, `is called "n" in telemetry, and so is x`},
		{"an empty file", "# nothing\n", true, "it holds no services"},
		{"no YAML", "services: [", false, "not closed"},
	} {
		_, problems := parse(c.text)
		if len(problems) != 1 || problems[0].Warning != c.warning || !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, problems, c.want)
		}
	}
}

// One document that is wrong holds no other up, and a team that belongs to itself ends.
func TestTheRestOfAFileIsTaken(t *testing.T) {
	sheet, problems := parse("kind: Component\napiVersion: backstage.io/v1alpha1\nspec: {}\n---\n" + acme + "---\nteams: [{name: p, parent: q}, {name: q, parent: p, chat: '#q'}]\n")
	if len(sheet.Services) != 4 || len(sheet.Teams) != 3 || len(problems) != 3 || sheet.team("p").Chat != "#q" {
		t.Errorf("%+v %v", sheet, problems)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(acme)
	f.Add(shop)
	f.Fuzz(func(t *testing.T, text string) {
		sheet, _ := parse(text)
		for _, s := range sheet.Services {
			if s.Name == "" || s.line == 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
