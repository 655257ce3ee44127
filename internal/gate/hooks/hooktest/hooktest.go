// Package hooktest has the rooms behind the hooks as fakes, for the tests of
// the packages beside it.
//
// It answers every question with one verdict and remembers what it was asked.
// In: a verdict. Out: the questions, markers and audit entries. Its one lock
// is held over no call. Start reading at Rooms.
package hooktest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Now is the clock's time.
func Now() time.Time { return time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC) }

// Rooms are the gate, the markers and the audit log.
type Rooms struct {
	mu      sync.Mutex
	verdict model.Verdict
	err     error
	asked   []model.GateRequest
	markers []model.Deploy
	audited []model.AuditEntry
}

// Set changes what the gate answers.
func (r *Rooms) Set(v model.Verdict, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdict, r.err = v, err
}

// Decide implements hook.Decider.
func (r *Rooms) Decide(_ context.Context, req model.GateRequest) (model.GateDecision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return model.GateDecision{}, r.err
	}
	r.asked = append(r.asked, req)
	return model.GateDecision{
		ID: "0190-decision", Request: req, Verdict: r.verdict, Summary: "The verdict is " + string(r.verdict) + ".",
		Reasons: []model.GateReason{{Verdict: r.verdict, Rule: "burn_fast", Message: "edge-ok burns 21× over 1 h (limit 14×).", Cure: "Stop the failures."}},
	}, nil
}

// AddDeploy implements hook.Deploys.
func (r *Rooms) AddDeploy(_ context.Context, d model.Deploy) (model.Deploy, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.markers {
		if r.markers[i].ID == d.ID {
			r.markers[i] = d
			return d, nil
		}
	}
	r.markers = append(r.markers, d)
	return d, nil
}

// Deploys implements hook.Deploys.
func (r *Rooms) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.markers {
		if d.Service == q.Service && !d.Time.Before(q.Start) && d.Time.Before(q.End) {
			out = append(out, d)
		}
	}
	return out, nil
}

// Audit implements hook.Audit.
func (r *Rooms) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.audited = append(r.audited, e)
	return e, nil
}

// Asked is what the gate was asked.
func (r *Rooms) Asked() []model.GateRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]model.GateRequest(nil), r.asked...)
}

// Markers are the markers that were recorded.
func (r *Rooms) Markers() []model.Deploy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]model.Deploy(nil), r.markers...)
}

// Audited are the audit entries.
func (r *Rooms) Audited() []model.AuditEntry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]model.AuditEntry(nil), r.audited...)
}

// New makes rooms that answer with a verdict, and a kit in front of them that
// repeats fast.
func New(t *testing.T, v model.Verdict, change ...func(*hook.Deps)) (*Rooms, *hook.Kit) {
	t.Helper()
	r := &Rooms{verdict: v}
	deps := hook.Deps{Gate: r, Deploys: r, Audit: r, ExternalURL: "https://signalbox.example.org", Now: Now}
	for _, c := range change {
		c(&deps)
	}
	kit, err := hook.New(hook.Config{Timeout: prom.Duration(30 * time.Second), Attempts: 3, Backoff: prom.Duration(time.Millisecond)}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return r, kit
}

// Run runs the kit until the test ends, and returns a function that waits until all
// that was queued is sent.
func Run(t *testing.T, kit *hook.Kit) (sent func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = kit.Run(ctx)
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

// Secret writes a secret file.
func Secret(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Without is a JSON object without what path names, levels separated by dots.
func Without(t *testing.T, body, path string) string {
	t.Helper()
	return edit(t, body, path, func(m map[string]any, key string) { delete(m, key) })
}

// With is a JSON object in which path has another value.
func With(t *testing.T, body, path string, value any) string {
	t.Helper()
	return edit(t, body, path, func(m map[string]any, key string) { m[key] = value })
}

func edit(t *testing.T, body, path string, change func(m map[string]any, key string)) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	m, keys := v, strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		m = m[k].(map[string]any)
	}
	if _, ok := m[keys[len(keys)-1]]; !ok {
		t.Fatalf("%s is not in the payload", path)
	}
	change(m, keys[len(keys)-1])
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Serve answers one request.
func Serve(t *testing.T, h http.Handler, method, path, body string, header http.Header) (status int, answer string) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for k, v := range header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}
