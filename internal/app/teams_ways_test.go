package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store"
)

// A routing key is bound to the namespaces of its token: it neither marks, raises nor acknowledges what is another team's, and is not told
// what there is.
func TestARoutingKeyReachesItsOwnTeamAlone(t *testing.T) {
	w := startTwoTeams(t)
	send := func(path, format string, args ...any) (int, string) {
		got := w.ask(t, "POST", "/pagerduty/v2/"+path, fmt.Sprintf(format, args...))
		if got.status/100 == 5 || strings.Contains(got.text, w.pay) {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		return got.status, got.text
	}
	for _, c := range []struct {
		what, path, body, theirs, nobodys string
		status                            int
	}{
		{"a change of a service", "change/enqueue", `{"routing_key":%q,"payload":{"summary":"s","source":%q}}`, "zebra-api", "zebrx-api", http.StatusBadRequest},
		{"an alert in a namespace", "enqueue", `{"routing_key":%q,"event_action":"trigger","payload":{"summary":"s","source":"h","severity":"info","custom_details":{"namespace":%q}}}`, "trade", "tradx", http.StatusBadRequest},
		{"an acknowledge", "enqueue", `{"routing_key":%q,"event_action":"acknowledge","dedup_key":%q}`, "zebra-api", "zebrx-api", http.StatusAccepted},
		{"a resolve", "enqueue", `{"routing_key":%q,"event_action":"resolve","dedup_key":%q}`, "zebra-api", "zebrx-api", http.StatusAccepted},
	} {
		is, theirs := send(c.path, c.body, w.pay, c.theirs)
		other, nobodys := send(c.path, c.body, w.pay, c.nobodys)
		if is != c.status || other != is || unnamed(theirs, c.theirs) != unnamed(nobodys, c.nobodys) {
			t.Errorf("%s:\ntheirs   %d %s\nnobody's %d %s", c.what, is, theirs, other, nobodys)
		}
	}
	if status, text := send("enqueue", `{"routing_key":%q,"event_action":"resolve","dedup_key":"d","client":%q}`, w.pay, strings.Repeat("a", 600<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("600 KiB: %d %s", status, text)
	}
	if got := w.ask(t, "GET", "/sb/v1/deploys?service=zebra-api", "", "Cookie", w.cookie); strings.Count(got.text, `"service":"zebra-api"`) != 1 {
		t.Errorf("a change was marked: %s", got.text)
	}
	pages, err := w.state.Pages(t.Context(), store.PageQuery{Limit: 10})
	if err != nil || len(pages) != 2 {
		t.Fatal(err, len(pages))
	}
	for _, p := range pages {
		if p.AckedBy != "" || p.Status != "firing" {
			t.Errorf("%s was changed: %+v", p.ID, p)
		}
	}
}

// Every tool of an agent that is bound to a namespace, with another team's names in every argument.
func TestNoToolTellsAnAgentOfAnotherTeam(t *testing.T) {
	w := startTwoTeams(t)
	s, err := w.agent(t, bearer(w.pay))
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	incident := w.opened(t, "zebra-api")
	names := map[string]string{
		"zebra-api": "zebrx-api", "zebra-slo": "zebrx-slo", w.zebraPage: "page-zebrx-api", "alert-zebra-api": "alert-zebrx-api", incident: incident[:len(incident)-4] + "0000",
		"namespace=trade,service=zebra-api": "namespace=trade,service=zebrx-api",
	}
	asked := 0
	for _, tool := range list.Tools {
		in, _ := tool.InputSchema.(map[string]any)
		arguments, _ := in["properties"].(map[string]any)
		for argument := range arguments {
			if argument == "start" || argument == "end" || argument == "limit" || argument == "query" {
				continue
			}
			for name, none := range names {
				asked++
				args := map[string]any{argument: name}
				theirs, failed := called(t.Context(), t, s, tool.Name, args)
				args[argument] = none
				nobodys, failedToo := called(t.Context(), t, s, tool.Name, args)
				is, isNot := timeless.ReplaceAllString(unnamed(theirs, name), ""), timeless.ReplaceAllString(unnamed(nobodys, none), "")
				if failed != failedToo || is != isNot || strings.Contains(is+isNot, "zebra") {
					t.Errorf("%s %s=%s:\ntheirs   %.400s\nnobody's %.400s", tool.Name, argument, name, is, isNot)
				}
			}
		}
		if text, _ := called(t.Context(), t, s, tool.Name, map[string]any{}); strings.Contains(text, "zebra") {
			t.Errorf("%s: %.400s", tool.Name, text)
		}
	}
	if asked < 100 {
		t.Errorf("only %d questions", asked)
	}
}
