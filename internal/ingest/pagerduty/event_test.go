package pagerduty

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The events and answers that PagerDuty's documentation shows, and what it says is required.
func TestEventsAreWhatPagerDutyDocuments(t *testing.T) {
	whole := `{"payload":{"summary":"Example alert on host1.example.com","timestamp":"2015-07-17T08:42:58.315+0000","source":"monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003",
		"severity":"info","component":"postgres","group":"prod-datapipe","class":"deploy","custom_details":{"ping time":"1500ms","load avg":0.75}},
		"routing_key":"samplekeyhere","dedup_key":"samplekeyhere","images":[{"src":"https://www.pagerduty.com/wp-content/uploads/2016/05/pagerduty-logo-green.png","href":"https://example.com/","alt":"Example text"}],
		"links":[{"href":"https://example.com/","text":"Link text"}],"event_action":"trigger","client":"Sample Monitoring Service","client_url":"https://monitoring.example.com"}`
	for _, c := range []struct{ name, body, reason string }{
		{"the documented example", whole, ""},
		{"the least of a trigger", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"critical"}}`, ""},
		{"the least of an acknowledge", `{"routing_key":"k","event_action":"acknowledge","dedup_key":"d"}`, ""},
		{"the least of a resolve", `{"routing_key":"k","event_action":"resolve","dedup_key":"d"}`, ""},
		{"a resolve that repeats its payload", `{"routing_key":"k","event_action":"resolve","dedup_key":"d","payload":{"summary":"s","source":"h","severity":"critical"}}`, ""},
		{"details that are no object", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"error","custom_details":"text"}}`, ""},
		{"a field that nobody documents", `{"routing_key":"k","event_action":"resolve","dedup_key":"d","more":[1]}`, ""},
		{"nulls", `{"routing_key":"k","event_action":"trigger","links":null,"client":null,"payload":{"summary":"s","source":"h","severity":"error","custom_details":null,"class":null}}`, ""},
		{"nothing", ``, "JSON"},
		{"a list", `[]`, "JSON"},
		{"two events", `{"routing_key":"k","event_action":"resolve","dedup_key":"d"} {}`, "follows"},
		{"no key", `{"event_action":"resolve","dedup_key":"d"}`, "'routing_key'"},
		{"a blank key", `{"routing_key":" ","event_action":"resolve","dedup_key":"d"}`, "'routing_key'"},
		{"a number for a key", `{"routing_key":7,"event_action":"resolve","dedup_key":"d"}`, "'routing_key'"},
		{"no action", `{"routing_key":"k","dedup_key":"d"}`, "'event_action'"},
		{"another action", `{"routing_key":"k","event_action":"page","dedup_key":"d"}`, "'event_action'"},
		{"another case", `{"routing_key":"k","event_action":"Trigger","dedup_key":"d"}`, "'event_action'"},
		{"no payload", `{"routing_key":"k","event_action":"trigger"}`, "'payload'"},
		{"no summary", `{"routing_key":"k","event_action":"trigger","payload":{"source":"h","severity":"error"}}`, "'payload.summary'"},
		{"no source", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","severity":"error"}}`, "'payload.source'"},
		{"no severity", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h"}}`, "'payload.severity'"},
		{"another severity", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"fatal"}}`, "'payload.severity'"},
		{"no time", `{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"info","timestamp":"yesterday"}}`, "'payload.timestamp'"},
		{"an end of nothing", `{"routing_key":"k","event_action":"resolve"}`, "'dedup_key'"},
		{"a long dedup key", `{"routing_key":"k","event_action":"resolve","dedup_key":"` + strings.Repeat("ä", 256) + `"}`, "'dedup_key'"},
	} {
		_, err := ParseEvent([]byte(c.body))
		var invalid *InvalidError
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.reason != "" && (!errors.As(err, &invalid) || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%s: %v, want %s", c.name, err, c.reason)
		}
	}
	e, err := ParseEvent([]byte(whole))
	if at, _ := e.Payload.at(); err != nil || !at.Equal(time.Date(2015, 7, 17, 8, 42, 58, 315e6, time.UTC)) {
		t.Error(at, err)
	}
}

func TestEveryFieldIsSeenByWhoIsPaged(t *testing.T) {
	e, err := ParseEvent([]byte(`{"routing_key":"k","event_action":"trigger","dedup_key":"d","client":"Nagios","client_url":"https://nagios.example.org/x",
		"links":[{"href":"https://runbooks.example.org/1","text":"what to do"},{"href":"javascript:alert(1)","text":"bad"}],
		"images":[{"src":"https://img.example.org/g.png","alt":"graph"},{"src":"ftp://x/y"}],
		"payload":{"summary":"bar is down","source":"bar-1","severity":"critical","component":"mysql","group":"shop","class":"PingFailure",
		"custom_details":{"service":"bar","env":"prod","region":"eu-1","namespace":"team-a","n":3,"runbook_url":"https://runbooks.example.org/bar"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	ls, as := e.labels("nagios", "team-a"), e.annotations()
	for k, want := range map[string]string{
		"alertname": "PingFailure", "severity": "critical", "source": "bar-1", "component": "mysql", "group": "shop", "class": "PingFailure", "service": "bar",
		"env": "prod", "region": "eu-1", "namespace": "team-a", "dedup_key": "d", "integration": "nagios",
	} {
		if ls[k] != want {
			t.Errorf("label %s: %q, want %q", k, ls[k], want)
		}
	}
	if as["summary"] != "bar is down" || as["client"] != "Nagios" || as["client_url"] != "https://nagios.example.org/x" || as["runbook_url"] != "https://runbooks.example.org/bar" ||
		as["links"] != "what to do: https://runbooks.example.org/1\ngraph: https://img.example.org/g.png" || !strings.Contains(as["details"], `"n":3`) {
		t.Errorf("annotations %v", as)
	}
	if e.shownAt() != "https://nagios.example.org/x" {
		t.Error(e.shownAt())
	}
}

// Whatever comes is refused with reasons, or becomes an alert with labels that the pipeline takes.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"routing_key":"k","event_action":"trigger","dedup_key":"d","payload":{"summary":"s","source":"h","severity":"critical","class":"\u0000 ","custom_details":{"a":"b","service":"é"}},"links":[{"href":"https://x.example"}]}`))
	f.Add([]byte(`{"routing_key":"k","event_action":"resolve","dedup_key":"d"}`))
	f.Add([]byte(`{"routing_key":"k","payload":{"summary":"s","timestamp":"2026-01-02T03:04:05Z"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := ParseEvent(body)
		var invalid *InvalidError
		if err != nil && (!errors.As(err, &invalid) || len(invalid.Reasons) == 0) {
			t.Fatalf("an error without a reason: %v", err)
		}
		if c, err := ParseChange(body); err == nil {
			if d := c.deploy(time.Unix(1e9, 0)); d.Service == "" || d.Version == "" || len(d.Link) > 2000 {
				t.Fatalf("deploy %+v", d)
			}
		}
		if err != nil || e.Action != Trigger {
			return
		}
		for k, v := range e.labels("x", "") {
			if v == "" || !utf8.ValidString(v) || utf8.RuneCountInString(v) > maxLabel {
				t.Fatalf("label %s=%q", k, v)
			}
		}
		as := e.annotations()
		if utf8.RuneCountInString(as["summary"]) > maxSummary || as["links"] != "" && !strings.Contains(as["links"], "http") {
			t.Fatalf("annotations %v", as)
		}
		if _, err := json.Marshal(as); err != nil {
			t.Fatal(err)
		}
	})
}
