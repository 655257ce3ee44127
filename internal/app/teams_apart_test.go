package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

// takes is what the description of the API says of what an operation takes.
type takes struct {
	Paths map[string]map[string]struct {
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []any
	Properties map[string]schema
	Items      *schema
	Minimum    int
}

// filled is a value that a schema allows, with a name wherever there may be one.
func (d *takes) filled(s schema, name string, depth int) any {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	kind := fmt.Sprint(s.Type)
	switch {
	case depth > 5:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Format == "date-time":
		return "2026-01-01T00:00:00Z"
	case strings.Contains(kind, "array") && s.Items != nil:
		return []any{d.filled(*s.Items, name, depth+1)}
	case strings.Contains(kind, "object"):
		out := map[string]any{}
		for field, of := range s.Properties {
			if v := d.filled(of, name, depth+1); v != nil && field != "$schema" {
				out[field] = v
			}
		}
		return out
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return max(s.Minimum, 1)
	case strings.Contains(kind, "boolean"):
		return false
	}
	return name
}

// asks are the ways to ask one operation for a name: in its path, in a parameter, in its body.
func (d *takes) asks(method, pattern, name string) (out [][2]string) {
	op := d.Paths[pattern][strings.ToLower(method)]
	path, query := pattern, []string{""}
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", name)
		case p.In == "query" && !slices.Contains([]string{"start", "end", "limit", "days"}, p.Name):
			query = append(query, "?"+url.Values{p.Name: {name}}.Encode(), "?"+url.Values{p.Name: {"namespace=trade,service=" + name}}.Encode())
		}
	}
	body := ""
	if c, has := op.RequestBody.Content["application/json"]; has {
		text, _ := json.Marshal(d.filled(c.Schema, name, 0))
		body = string(text)
	}
	for _, q := range query {
		out = append(out, [2]string{path + q, body})
	}
	return out
}

// timeless is what differs between two answers to one question: when it was asked, and for how long.
var timeless = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|"(took_ms|uptime_seconds)": ?[0-9.e-]+`)

// unnamed is an answer without the name that was asked for, which it may say.
func unnamed(text, name string) string {
	return strings.NewReplacer(name, "NAME", strings.ReplaceAll(name, "-", ""), "NAME").Replace(text)
}

// Every operation that keeps teams apart, with every method, parameter and body: what is another's is answered in the very words of
// what there is not, and nothing of it changes.
func TestWhatIsAnothersIsAnsweredAsWhatThereIsNot(t *testing.T) {
	w := startTwoTeams(t)
	var d takes
	if err := json.Unmarshal([]byte(w.ask(t, "GET", "/sb/v1/openapi.json", "", "Cookie", w.cookie).text), &d); err != nil || len(d.Paths) < 100 {
		t.Fatal(err, len(d.Paths))
	}
	incident := w.opened(t, "zebra-api")
	var drill struct{ ID string }
	if got := w.ask(t, "POST", "/sb/v1/oncall/drills", `{"policy":"zebra-policy"}`, "Cookie", w.cookie); json.Unmarshal([]byte(got.text), &drill) != nil || drill.ID == "" {
		t.Fatal(got.status, got.text)
	}
	stands := func() (out string) {
		for _, path := range []string{"/sb/v1/deploys?service=zebra-api", "/sb/v1/gate/decisions?service=zebra-api", "/sb/v1/incidents/" + incident, "/sb/v1/slos/zebra-slo/corrections", "/sb/v1/heartbeats", "/sb/v1/oncall/drills/" + drill.ID} {
			got := w.ask(t, "GET", path, "", "Cookie", w.cookie)
			w.must(t, got)
			out += got.text + "\n"
		}
		return out
	}
	until(t, "the drill is out", func() bool { return strings.Contains(stands(), "delivered") })
	before := stands()
	names := map[string]string{"zebra-api": "zebrx-api", "zebra-slo": "zebrx-slo", "zebra-beat": "zebrx-beat", w.zebraPage: "page-zebrx-api", "alert-zebra-api": "alert-zebrx-api"}
	for _, id := range []string{w.zebraDecision, incident, drill.ID} {
		names[id] = id[:len(id)-4] + "0000"
	}
	asked := 0
	for _, e := range w.endpoints() {
		method, pattern, _ := strings.Cut(e.Pattern, " ")
		if !access.KeepsApart(e.Permission) || d.Paths[pattern] == nil || strings.HasSuffix(pattern, "/sql") || strings.HasSuffix(pattern, "/tail") || strings.HasSuffix(pattern, "/live") {
			continue
		}
		for name, none := range names {
			ways, other := d.asks(method, pattern, name), d.asks(method, pattern, none)
			for i, way := range ways {
				if way == other[i] {
					continue
				}
				asked++
				theirs, nobodys := w.asPay(t, method, way[0], way[1]), w.asPay(t, method, other[i][0], other[i][1])
				is, isNot := unnamed(theirs.text, name), unnamed(nobodys.text, none)
				is, isNot = timeless.ReplaceAllString(is, ""), timeless.ReplaceAllString(isNot, "")
				if theirs.status != nobodys.status || is != isNot || strings.Contains(is+isNot, "zebra") || theirs.status/100 == 5 {
					t.Errorf("%s %s %.300s:\ntheirs   %d %.400s\nnobody's %d %.400s", method, way[0], way[1], theirs.status, is, nobodys.status, isNot)
				}
			}
		}
	}
	if asked < 200 {
		t.Errorf("only %d questions", asked)
	}
	if after := stands(); after != before {
		t.Errorf("it was changed:\n%s\nwas\n%s", after, before)
	}
}

// Where an alert of another team would go is not told, and of one's own it is.
func TestWhomOthersWouldPageIsNotTold(t *testing.T) {
	w := startTwoTeams(t)
	ask := func(labels string) reply {
		return w.asPay(t, "GET", "/sb/v1/explain?labels="+url.QueryEscape(labels), "")
	}
	theirs, nobodys := ask("service=zebra-api,namespace=trade"), ask("service=zebra-api,namespace=nobody")
	if theirs.status != http.StatusBadRequest || strings.ReplaceAll(theirs.text, "trade", "nobody") != nobodys.text {
		t.Errorf("%d %s\n%d %s", theirs.status, theirs.text, nobodys.status, nobodys.text)
	}
	for _, own := range []string{"service=pay-api", "service=pay-api,namespace=pay"} {
		if got := ask(own); got.status != http.StatusOK || !strings.Contains(got.text, `"namespace":"pay"`) || !strings.Contains(got.text, `"inbox"`) {
			t.Errorf("%s: %d %s", own, got.status, got.text)
		}
	}
	all := w.ask(t, "GET", "/sb/v1/explain?labels="+url.QueryEscape("service=zebra-api,namespace=trade"), "", "Cookie", w.cookie)
	if all.status != http.StatusOK || !strings.Contains(all.text, "zebra-pager") {
		t.Errorf("who sees all: %d %s", all.status, all.text)
	}
}
