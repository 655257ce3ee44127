package oncall

import (
	"strings"
	"testing"
	"time"
)

func TestHeartbeatsOfFiles(t *testing.T) {
	roster, problems := Load([]string{write(t, "heartbeats:\n- {name: backup, every: 1d}\n- {name: cron, every: 1m, grace: 2m, severity: critical, runbook: 'https://example.com/r'}\n")})
	if len(problems) > 0 || len(roster.Heartbeats) != 2 {
		t.Fatal(roster, problems)
	}
	if h := roster.Heartbeats[0]; time.Duration(h.Grace) != 144*time.Minute || h.Severity != "high" {
		t.Errorf("%+v", h)
	}
	for text, says := range map[string]string{
		"heartbeats: [{name: a b, every: 1h}]":                        "name: must be letters",
		"heartbeats: [{name: a}]":                                     "every: must be between 30s and 400d, got 0s",
		"heartbeats: [{name: a, every: 1h, grace: 1s}]":               "grace: must be between",
		"heartbeats: [{name: a, every: 1h, runbook: 'javascript:x'}]": "runbook: must be a whole address",
		"heartbeats: [{name: a, every: 1h}, {name: a, every: 2h}]":    "stands in",
		"heartbeats: [{name: a, every: 1h, interval: 2}]":             "interval",
	} {
		roster, problems := Load([]string{write(t, text)})
		if len(problems) == 0 || !strings.Contains(problems[0].Message, says) || len(roster.Heartbeats) > 1 {
			t.Errorf("%s: %+v %+v", text, problems, roster.Heartbeats)
		}
	}
}
