package runbook

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

const good = `---
title: Edge fails
severity: P0
alerts: [HighErrorRate, "SLO*"]
services: [edge]
reviewed: 2026-01-01
---
## Symptoms
Users *see* **5xx** with ` + "`code`" + ` and a [page](https://example.com/a), [another](other.md), [here](/slos).

` + "```promql\nsum(rate(x[5m]))\n```\n" + `
## Cause
1. One
   ` + "```logs\n   level:error\n   ```" + `
2. Two

## Steps
| a | b |
|---|---|
| 1 | 2 |

> said

` + "```bash\nkubectl get pods\n```\n" + `
## Verification
x

## Prevention
x

## Escalation
x
`

const other = "other.md"

func books(files map[string]string) ([]Runbook, []document.Problem) {
	var list []document.File
	for _, name := range []string{"edge.md", other, "Third One.md"} {
		if text, there := files[name]; there {
			list = append(list, document.File{Path: name, Text: []byte(text)})
		}
	}
	return build(list)
}

func TestARunbookIsReadInBlocks(t *testing.T) {
	list, problems := books(map[string]string{"edge.md": strings.ReplaceAll(good, "\n", "\r\n"), other: strings.ReplaceAll(good, "other.md", "edge.md")})
	if len(problems) > 0 || len(list) != 2 || list[0].Name != "edge" || list[0].ReviewEvery != 92 {
		t.Fatalf("%+v %v", list, problems)
	}
	text, err := json.Marshal(list[0].Blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"kind":"heading","level":2,"spans":[{"text":"Symptoms"}]}`, `{"text":"see","em":true}`, `{"text":"5xx","strong":true}`, `{"text":"code","code":true}`,
		`{"text":"page","href":"https://example.com/a"}`, `{"text":"another","href":"/runbooks/other"}`, `{"text":"here","href":"/slos"}`,
		`{"kind":"query","language":"promql","text":"sum(rate(x[5m]))"}`, `{"kind":"query","language":"logs","text":"level:error"}`,
		`"rows":[[[{"text":"a"}],[{"text":"b"}]],[[{"text":"1"}],[{"text":"2"}]]]`, `{"kind":"code","language":"bash","text":"kubectl get pods\n"}`, `"ordered":true`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if qs := list[0].Queries(); len(qs) != 2 || qs[0].Line != 12 || qs[1].Line != 18 {
		t.Errorf("%+v", qs)
	}
}

func TestWhatIsWrongWithARunbookIsSaid(t *testing.T) {
	swap := func(old, now string) map[string]string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return map[string]string{"edge.md": strings.Replace(good, old, now, 1), other: strings.ReplaceAll(good, "other.md", "edge.md")}
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no front matter":        {map[string]string{"edge.md": "# Edge\n"}, "edge.md:1: it has no front matter; begin with a line ---"},
		"one without an end":     {map[string]string{"edge.md": "---\ntitle: x\n"}, "it has no front matter"},
		"an empty one":           {map[string]string{"edge.md": "---\n---\n"}, "edge.md:1: the front matter is empty"},
		"a severity":             {swap("severity: P0", "severity: high"), `edge.md:3: severity: must be P0, P1, P2 or P3, got "high"`},
		"a misspelt key":         {swap("severity: P0", "severty: P0"), `unknown key "severty"; did you mean "severity"?`},
		"no date":                {swap("reviewed: 2026-01-01\n", ""), "reviewed: must be the date"},
		"a missing section":      {swap("## Cause", "## Because"), "the section Cause is missing; write `## Cause`"},
		"an empty section":       {swap("## Verification\nx\n", "## Verification\n"), "the section Verification is missing"},
		"a query":                {swap("sum(rate(x[5m]))", "sum(rate(x[5m])"), "edge.md:12: the promql query cannot be read: "},
		"a filter":               {swap("level:error", "level:("), "edge.md:18: the logs query cannot be read: "},
		"an empty query":         {swap("sum(rate(x[5m]))", ""), "it is empty"},
		"a link that runs":       {swap("https://example.com/a", "javascript:alert(1)"), "edge.md:9: a link leads nowhere that is allowed"},
		"one with a tab":         {swap("https://example.com/a", "&#9;javascript:alert(1)"), "a link leads nowhere that is allowed"},
		"another host":           {swap("/slos", "//evil.example.com"), "a link leads nowhere that is allowed"},
		"another host in hiding": {swap("/slos", `/\\evil.example.com`), "a link leads nowhere that is allowed"},
		"data":                   {swap("https://example.com/a", "data:text/html,x"), "a link leads nowhere that is allowed"},
		"HTML":                   {swap("> said", "<script>alert(1)</script>"), "HTML is not shown"},
		"HTML within":            {swap("> said", "a <b onclick=x>b</b>"), "HTML is not shown"},
		"a picture":              {swap("> said", "![a](https://example.com/a.png)"), "pictures are not shown"},
		"a broken link":          {map[string]string{"edge.md": good}, "edge.md:9: it links to the runbook other, which is not there"},
		"a name":                 {map[string]string{"Third One.md": strings.Replace(good, "[another](other.md), ", "", 1)}, `the name of the file, "Third One", is that of the runbook`},
		"nothing it is for":      {swap("alerts: [HighErrorRate, \"SLO*\"]\nservices: [edge]\n", ""), "name the alerts or the services that it is for"},
	} {
		list, problems := books(c.files)
		text := ""
		for _, p := range problems {
			text += p.Error() + "\n"
		}
		if !strings.Contains(text, c.want) || !document.Failed(problems) {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		for _, b := range list {
			if said, _ := json.Marshal(b); strings.Contains(string(said), "javascript:") || strings.Contains(string(said), "evil") || strings.Contains(string(said), "onclick") {
				t.Errorf("%s: it is served: %s", name, said)
			}
		}
	}
}

func TestEveryAlertHasARunbookThatIsReviewed(t *testing.T) {
	list, _ := books(map[string]string{"edge.md": good, other: strings.Replace(good, "[HighErrorRate, \"SLO*\"]", "[Nothing]", 1)})
	alerts := []Alert{{Name: "HighErrorRate"}, {Name: "SLOBurnRateFast"}, {Name: "Lost", File: "r.yml", Line: 3}, {Name: "Linked", RunbookURL: "https://sb.example.com/runbooks/edge"}, {Name: "Astray", RunbookURL: "/runbooks/edgy", File: "r.yml"}, {Name: "Elsewhere", RunbookURL: "https://wiki.example.com/x", File: "r.yml"}}
	say := func(at string) string {
		now, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, p := range Lint(list, alerts, now) {
			text += p.Error() + "\n"
		}
		return text
	}
	got := say("2026-04-03")
	for _, want := range []string{"r.yml:3: alert Lost has no runbook", "r.yml: alert Astray links to the runbook edgy, which is not there", "r.yml: alert Elsewhere has no runbook", "it is for the alert Nothing, which nothing raises"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 4 {
		t.Error(got)
	}
	if late := say("2026-04-05"); strings.Count(late, "its review was due on 2026-04-03") != 2 {
		t.Error(late)
	}
}

func TestTheRoomListsByAlertAndService(t *testing.T) {
	r, err := New(Deps{Now: func() time.Time { return time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.List("", ""); got.Summary == "" || len(got.Runbooks) != 0 {
		t.Errorf("%+v", got)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "edge.md"), []byte(strings.Replace(good, "[another](other.md), ", "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload([]string{filepath.Join(dir, "*.md")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		alert, service string
		want           int
	}{{"", "", 1}, {"SLOBurnRateFast", "", 1}, {"Else", "", 0}, {"", "edge", 1}, {"", "layout", 0}, {"HighErrorRate", "layout", 0}} {
		if got := r.List(c.alert, c.service); len(got.Runbooks) != c.want {
			t.Errorf("%+v: %+v", c, got)
		} else if c.want == 1 && (got.Runbooks[0].Blocks != nil || !got.Runbooks[0].Overdue || got.Summary != "1 of 1 to be reviewed.") {
			t.Errorf("%+v", got)
		}
	}
	if b, err := r.Get("edge"); err != nil || len(b.Blocks) == 0 || b.Due != "2026-04-03" {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := r.Get("edgy"); err == nil || !strings.Contains(err.Error(), `did you mean "edge"?`) {
		t.Error(err)
	}
}

func FuzzRunbook(f *testing.F) {
	f.Add(good)
	f.Fuzz(func(t *testing.T, text string) {
		list, _ := parse("a.md", []byte(text))
		for _, b := range list {
			if said, err := json.Marshal(b); err != nil || strings.Contains(strings.ToLower(string(said)), `"href":"javascript`) {
				t.Errorf("%s %v", said, err)
			}
		}
	})
}
