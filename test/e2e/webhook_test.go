package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// notification is what Alertmanager's webhook sends.
type notification struct {
	Status   string         `json:"status"`
	Receiver string         `json:"receiver"`
	GroupKey string         `json:"groupKey"`
	Alerts   []webhookAlert `json:"alerts"`

	at time.Time
}

type webhookAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// webhook is the receiver of a team: it keeps what it was sent.
type webhook struct {
	URL string

	mu  sync.Mutex
	got []notification
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := notification{at: time.Now()}
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Errorf("webhook: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, n)
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// of are the notifications that hold an alert of this name and status, oldest first.
func (w *webhook) of(name, status string) (out []notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.got {
		if slices.ContainsFunc(n.Alerts, func(a webhookAlert) bool { return a.Labels["alertname"] == name && a.Status == status }) {
			out = append(out, n)
		}
	}
	return out
}

// alert is the one of this name in a notification.
func (n notification) alert(name string) webhookAlert {
	for _, a := range n.Alerts {
		if a.Labels["alertname"] == name {
			return a
		}
	}
	return webhookAlert{}
}

// await waits for the first notification of an alert.
func (w *webhook) await(t *testing.T, name, status string) (n notification) {
	t.Helper()
	eventually(t, func() error {
		all := w.of(name, status)
		if len(all) == 0 {
			return fmt.Errorf("no %s of %s", status, name)
		}
		n = all[0]
		return nil
	})
	return n
}

// shippedRouting writes the built-in routing tree with a webhook on its receiver, and
// the replacements given, old and new in turn.
func shippedRouting(t *testing.T, file, hook string, replace ...string) {
	t.Helper()
	text, err := os.ReadFile("../../internal/alerting/router/default.yml")
	if err != nil {
		t.Fatal(err)
	}
	tree := string(text)
	replace = append(replace, "- name: inbox", fmt.Sprintf("- {name: inbox, webhook_configs: [{url: %q}]}", hook))
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(tree, replace[i]) {
			t.Fatalf("the built-in tree has no %q", replace[i])
		}
		tree = strings.ReplaceAll(tree, replace[i], replace[i+1])
	}
	writeFile(t, file, tree)
}
