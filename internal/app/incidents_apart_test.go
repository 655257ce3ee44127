package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// opened is the id of an incident that the administrator opens about a service.
func (w *twoTeams) opened(t *testing.T, service string) string {
	t.Helper()
	got := w.ask(t, "POST", "/sb/v1/incidents", fmt.Sprintf(`{"title":"%s is slow","services":[%q]}`, service, service), "Cookie", w.cookie)
	w.must(t, got)
	var one struct{ ID string }
	if err := json.Unmarshal([]byte(got.text), &one); err != nil || one.ID == "" {
		t.Fatalf("%v: %s", err, got.text)
	}
	return one.ID
}

// An incident of another team is answered in the very words of one that there is not, is changed by nobody else, and takes in none of
// one's own; an incident is opened in the name of nobody else, and a link in it leads to pages of the web alone.
func TestAnIncidentOfAnotherTeamIsNone(t *testing.T) {
	w := startTwoTeams(t)
	zebra, pay := w.opened(t, "zebra-api"), w.opened(t, "pay-api")
	before := w.ask(t, "GET", "/sb/v1/incidents/"+zebra, "", "Cookie", w.cookie).text
	nobody := "0192f0c1-0000-7000-8000-000000000000"
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/sb/v1/incidents/%s", ""},
		{"PATCH", "/sb/v1/incidents/%s", `{"title":"mine"}`},
		{"POST", "/sb/v1/incidents/%s/status", `{"status":"resolved"}`},
		{"POST", "/sb/v1/incidents/%s/notes", `{"text":"hello"}`},
		{"POST", "/sb/v1/incidents/%s/actions", `{"text":"do it"}`},
		{"POST", "/sb/v1/incidents/%s/look", `{}`},
		{"POST", "/sb/v1/incidents/%s/merge", `{"into":"` + pay + `"}`},
		{"POST", "/sb/v1/incidents/" + pay + "/merge", `{"into":"%s"}`},
		{"POST", "/sb/v1/incidents/%s/split", `{"pages":["page-pay-api"],"title":"mine"}`},
		{"GET", "/sb/v1/incidents/%s/timeline", ""},
		{"GET", "/sb/v1/incidents/%s/postmortem", ""},
		{"POST", "/sb/v1/incidents/%s/postmortem", `{"publish":true}`},
		{"POST", "/sb/v1/incidents/" + pay + "/split", `{"pages":["%s"],"title":"mine"}`},
	} {
		says := func(id string) string {
			path, body := strings.ReplaceAll(c.path, "%s", id), strings.ReplaceAll(c.body, "%s", id)
			got := w.asPay(t, c.method, path, body)
			return fmt.Sprint(got.status, " ", strings.ReplaceAll(got.text, id, "ID"))
		}
		foreign, none := says(zebra), says(nobody)
		if strings.Contains(c.path, "/split") && !strings.Contains(c.path, "%s") {
			foreign, none = says("page-zebra-api"), says("page-nobody")
		}
		if foreign != none || !strings.HasPrefix(foreign, "4") {
			t.Errorf("%s %s %s:\nforeign %s\nnone    %s", c.method, c.path, c.body, foreign, none)
		}
	}
	if after := w.ask(t, "GET", "/sb/v1/incidents/"+zebra, "", "Cookie", w.cookie).text; after != before {
		t.Errorf("it was changed:\n%s\nwas\n%s", after, before)
	}
	for _, body := range []string{`{"title":"t","services":["zebra-api"]}`, `{"title":"t","services":["pay-api","zebra-api"]}`} {
		named := w.asPay(t, "POST", "/sb/v1/incidents", body)
		other := w.asPay(t, "POST", "/sb/v1/incidents", strings.ReplaceAll(body, "zebra-api", "nobody-api"))
		if named.status != other.status || strings.ReplaceAll(named.text, "zebra-api", "nobody-api") != other.text && named.status/100 != 2 {
			t.Errorf("in the name of another: %s: %d %s, of nobody: %d %s", body, named.status, named.text, other.status, other.text)
		}
		if seen := w.ask(t, "GET", "/sb/v1/incidents", "", "Cookie", w.cookie).text; named.status/100 == 2 {
			t.Errorf("opened in the name of another: %s: %s\n%s", body, named.text, seen)
		}
	}
	for _, services := range []string{`["zebra-api"]`, `["nobody-api"]`} {
		if got := w.asPay(t, "PATCH", "/sb/v1/incidents/"+pay, `{"services":`+services+`}`); got.status != http.StatusBadRequest || !strings.Contains(got.text, "-api is none that belongs to pay alone") {
			t.Errorf("made one of %s: %d %s", services, got.status, got.text)
		}
	}
	for _, path := range []string{"/sb/v1/incidents", "/sb/v1/incidents?service=zebra-api", "/sb/v1/incidents/figures", "/sb/v1/incidents/overdue", "/sb/v1/incidents/" + pay} {
		if got := w.asPay(t, "GET", path, ""); got.status != http.StatusOK || strings.Contains(strings.ReplaceAll(got.text, path, ""), "zebra") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	for _, link := range []string{"javascript:alert(1)", "JaVaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>", "vbscript:x", "//evil.example", "file:///etc/passwd"} {
		body, _ := json.Marshal(map[string]string{"text": "do it", "link": link})
		if got := w.asPay(t, "POST", "/sb/v1/incidents/"+pay+"/actions", string(body)); got.status/100 != 4 {
			t.Errorf("the link %q is taken: %d %s", link, got.status, got.text)
		}
		body, _ = json.Marshal(map[string]any{"links": []map[string]string{{"href": link, "text": "x"}}})
		if got := w.asPay(t, "PATCH", "/sb/v1/incidents/"+pay, string(body)); got.status/100 != 4 {
			t.Errorf("the link %q is taken: %d %s", link, got.status, got.text)
		}
	}
	if got := w.asPay(t, "PATCH", "/sb/v1/incidents/"+pay, `{"links":[{"href":"https://wiki.example/1","text":"x"}]}`); got.status != http.StatusOK {
		t.Errorf("a link to a page is refused: %d %s", got.status, got.text)
	}
	if got := w.ask(t, "POST", "/sb/v1/incidents", `{"title":"forged"}`, "Cookie", w.cookie, "Origin", "https://evil.example"); got.status != http.StatusForbidden {
		t.Errorf("a page of another site opens an incident: %d %s", got.status, got.text)
	}
	if got := w.asPay(t, "POST", "/sb/v1/incidents/"+pay+"/notes", `{"text":"`+strings.Repeat("a", 3<<20)+`"}`); got.status/100 != 4 {
		t.Errorf("a note of 3 MiB: %d", got.status)
	}
}
