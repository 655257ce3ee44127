package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// people is a channel that keeps what people were sent, and that can be made to take messages without ever answering.
type people struct {
	URL string

	mu   sync.Mutex
	hang bool
	came chan struct{} // one for each message that hangs
	got  []personal
}

type personal struct {
	ID       string
	Kind     string
	DedupKey string `json:"dedup_key"`
	Page     struct{ Service string }

	answered bool
}

func startPeople(t *testing.T) *people {
	t.Helper()
	p := &people{came: make(chan struct{}, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m personal
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("message: %v", err)
		}
		p.mu.Lock()
		m.answered = !p.hang
		p.got = append(p.got, m)
		p.mu.Unlock()
		if !m.answered {
			p.came <- struct{}{}
			<-r.Context().Done() // whoever waits for the answer is killed
		}
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func (p *people) set(hang bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hang = hang
}

// keys are the dedup keys of the pages that were sent about each service, answered or not, and how many were answered.
func (p *people) keys() (out map[string]map[string]bool, answered map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, answered = map[string]map[string]bool{}, map[string]int{}
	for _, m := range p.got {
		if m.Kind != "page" {
			continue
		}
		if out[m.Page.Service] == nil {
			out[m.Page.Service] = map[string]bool{}
		}
		out[m.Page.Service][m.DedupKey] = true
		if m.answered {
			answered[m.Page.Service]++
		}
	}
	return out, answered
}

// A process that is killed while it pages people pages them after its start, with the same deduplication key, and nobody a second time who
// was reached before.
func TestAKillWhilePeopleArePaged(t *testing.T) {
	dir, told := t.TempDir(), startPeople(t)
	writeFile(t, filepath.Join(dir, "key"), "a secret of ada\n")
	writeFile(t, filepath.Join(dir, "o.yml"), "people: [{name: ada, contacts: [{channel: webhook, address: ada}]}]\nescalation_policies: [{name: p, default: true, steps: [{notify: [{person: ada}]}]}]\n")
	o := options{dir: filepath.Join(dir, "data"), config: fmt.Sprintf("oncall_files: [%q]\nchannels: {webhook: {receivers: [{name: ada, url: %q, secret: {file: %q}}]}}\n", filepath.Join(dir, "o.yml"), told.URL, filepath.Join(dir, "key"))}
	s := start(t, o)
	fire := func(service string) {
		body := fmt.Sprintf(`[{"labels":{"alertname":"Down","severity":"critical","service":%q}}]`, service)
		if status, text, _ := s.request(http.MethodPost, "/api/v2/alerts", "application/json", []byte(body)); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	fire("before")
	eventually(t, func() error {
		if _, answered := told.keys(); answered["before"] == 0 {
			return fmt.Errorf("nobody was paged about before")
		}
		return nil
	})
	told.set(true)
	services := []string{"a", "b", "c"}
	for _, service := range services {
		fire(service)
	}
	for range services {
		select {
		case <-told.came:
		case <-time.After(30 * time.Second):
			t.Fatal("a page did not leave")
		}
	}
	s.kill()
	told.set(false)
	s = start(t, o)
	eventually(t, func() error {
		_, answered := told.keys()
		for _, service := range services {
			if answered[service] == 0 {
				return fmt.Errorf("nobody was paged about %s after the kill: %v", service, answered)
			}
		}
		return nil
	})
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	keys, answered := told.keys()
	for service, of := range keys {
		if len(of) != 1 {
			t.Errorf("%s was paged by %d keys: %v", service, len(of), of)
		}
		if answered[service] != 1 {
			t.Errorf("%s: %d answered messages", service, answered[service])
		}
	}
	if len(keys) != len(services)+1 {
		t.Errorf("%v", keys)
	}
}
