package app

import (
	"strings"
	"testing"
)

// A heartbeat is pinged by whoever may send alerts; one that says that it failed becomes a page as any alert does.
func TestAHeartbeatThatFailsIsAPage(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": "oncall_files: [oncall.yml]\n",
		"oncall.yml":    "heartbeats: [{name: backup, every: 1h, severity: critical, service: db}]\n",
	})
	if status, text := r.get(t, "/sb/v1/heartbeats"); status != 200 || !strings.Contains(text, `"state":"new"`) || !strings.Contains(text, `"grace":"6m"`) {
		t.Fatal(status, text)
	}
	if status, text := r.do(t, "POST", "/sb/v1/heartbeats/backup", "", ""); status != 200 || !strings.Contains(text, `"state":"ok"`) {
		t.Fatal(status, text)
	}
	for _, wrong := range []string{"none", "backup?status=well", "backup?exit_code=-1"} {
		if status, text := r.do(t, "POST", "/sb/v1/heartbeats/"+wrong, "", ""); status/100 != 4 {
			t.Errorf("%s: %d %s", wrong, status, text)
		}
	}
	if status, text := r.do(t, "POST", "/sb/v1/heartbeats/backup?exit_code=3&note=disk+full", "", ""); status != 200 || !strings.Contains(text, `"state":"failed"`) {
		t.Fatal(status, text)
	}
	id := r.awaitPage(t)
	if _, text := r.get(t, "/sb/v1/pages"); !strings.Contains(text, "HeartbeatFailed") || !strings.Contains(text, "exit code 3 disk full") {
		t.Errorf("page %s: %s", id, text)
	}
}
