package remedy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/signature"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is everything around the room. Its clock is the bubble's.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	slos    map[string]*model.SLOStatus
	markers []model.Deploy
	saved   map[string]string // remedies as JSON: what a restart reads
	order   []string
	audited []model.AuditEntry
	alerts  []notify.Alert
	// requests and failures by service, version and period.
	traffic func(service string, at time.Time) []model.Sample
	orders  []webhook.Order
	answer  func(webhook.Order) (int, error) // of the executor
	broken  error                            // of the store

	cfg  Config
	stop func()
}

func newWorld(t *testing.T) *world {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, slos: map[string]*model.SLOStatus{}, saved: map[string]string{}, cfg: DefaultConfig()}
	w.cfg.DryRun = false
	for _, service := range []string{"edge", "layout"} {
		w.cfg.Targets = append(w.cfg.Targets, Target{Service: service, Environment: "prod", Webhook: &webhook.Config{URL: "https://deployer.test/" + service, SecretFile: secret}})
		w.slo(service, 0.4)
	}
	w.answer = func(webhook.Order) (int, error) { return http.StatusAccepted, nil }
	w.traffic = func(string, time.Time) []model.Sample { return nil }
	return w
}

// slo sets how a service's SLO burns; at 14× and above it pages.
func (w *world) slo(service string, burn float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &model.SLOStatus{
		Name: service + "-ok", Service: service, Labels: map[string]string{"env": "prod"}, State: model.SLOOK,
		Burn: []model.Burn{{Window: "1h", Rate: burn, Events: 5000, Coverage: 1}, {Window: "5m", Rate: burn, Events: 400, Coverage: 1}},
	}
	if burn >= 14 {
		s.State, s.Alerts = model.SLOBurning, []string{"SLOBudgetBurnWarning", "SLOBurnRateFast"}
	}
	w.slos[service] = s
}

// silent takes a service's data away.
func (w *world) silent(service string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slos[service] = &model.SLOStatus{Name: service + "-ok", Service: service, Labels: map[string]string{"env": "prod"}, State: model.SLOInsufficient}
}

func (w *world) SLOs(context.Context, string) (out []model.SLOStatus, _ string, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.slos {
		out = append(out, *s)
	}
	return out, "", nil
}

func (w *world) Instant(_ context.Context, expr string, at time.Time) ([]model.Sample, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, service := range []string{"edge", "layout"} {
		if strings.Contains(expr, `service="`+service+`"`) && strings.Contains(expr, `env="prod"`) {
			return w.traffic(service, at), nil
		}
	}
	return nil, errors.New("unexpected query " + expr)
}

// of is a version's requests, total and failed.
func of(version string, total, failed float64) []model.Sample {
	return []model.Sample{
		{Labels: model.Labels{"version": version, "status": "ok"}, Value: total - failed}, {Labels: model.Labels{"version": version, "status": "error"}, Value: failed},
	}
}

func (w *world) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range slices.Backward(w.markers) {
		if d.Service == q.Service && !d.Time.Before(q.Start) && (q.End.IsZero() || d.Time.Before(q.End)) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (w *world) AddDeploy(_ context.Context, d model.Deploy) (model.Deploy, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.markers {
		if w.markers[i].ID == d.ID {
			w.markers[i] = d
			return d, nil
		}
	}
	w.markers = append(w.markers, d)
	return d, nil
}

func (w *world) deploy(service, version string, ago time.Duration) {
	d := model.Deploy{ID: service + version, Service: service, Environment: "prod", Version: version, Kind: "deploy", Status: "succeeded", Time: time.Now().Add(-ago)}
	_, _ = w.AddDeploy(context.Background(), d)
}

func (w *world) SaveRemedy(_ context.Context, r model.Remedy) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	text, err := json.Marshal(r)
	if _, ok := w.saved[r.ID]; !ok {
		w.order = append(w.order, r.ID)
	}
	w.saved[r.ID] = string(text)
	return err
}

func (w *world) Remedies(_ context.Context, q store.RemedyQuery) (out []model.Remedy, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Backward(w.order) {
		var r model.Remedy
		if err := json.Unmarshal([]byte(w.saved[id]), &r); err != nil {
			return nil, err
		}
		if (q.Service == "" || r.Service == q.Service) && (!q.Open || r.State.Open()) {
			out = append(out, r)
		}
	}
	return out, w.broken
}

func (w *world) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.audited = append(w.audited, e)
	return e, nil
}

func (w *world) Send(_ context.Context, alerts ...notify.Alert) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alerts = append(w.alerts, alerts...)
	return nil
}

// RoundTrip is the deployer that takes orders, strictly as documented.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var o webhook.Order
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		w.t.Error(err)
	}
	stamp := r.Header.Get("X-Signalbox-Timestamp")
	if r.Header.Get("X-Signalbox-Signature-256") != signature.Sign([]byte("s3cret"), stamp, body) || r.Header.Get("X-Signalbox-Delivery") != o.ID {
		w.t.Errorf("not as documented: %v %s", r.Header, body)
	}
	w.mu.Lock()
	w.orders = append(w.orders, o)
	answer := w.answer
	w.mu.Unlock()
	status, err := answer(o)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// start runs a room over what is stored, as a process does.
func (w *world) start() {
	w.t.Helper()
	room, err := New(w.cfg, Deps{
		SLOs: w, Querier: w, Deploys: w, Store: w, Audit: w, Alerts: w, HTTP: w,
		PageAlerts: []string{"SLOBurnRateFast", "SLOBurnRateSlow"}, ExternalURL: "https://signalbox.test",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = room.Run(ctx)
	}()
	w.stop = func() { cancel(); <-done }
}

// pass lets time pass. The lock hands what the test changed to the room.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.mu.Unlock() //nolint:staticcheck // the empty section is the hand-over
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// remedy is the newest one of a service.
func (w *world) remedy(service string) model.Remedy {
	w.t.Helper()
	broken := w.broken
	w.broken = nil
	list, err := w.Remedies(context.Background(), store.RemedyQuery{Service: service})
	w.broken = broken
	if err != nil || len(list) == 0 {
		w.t.Fatalf("no remedy of %s: %v", service, err)
	}
	return list[0]
}

// expect is what must be known of a service.
func (w *world) expect(service string, state model.RemedyState, reason string) model.Remedy {
	w.t.Helper()
	r := w.remedy(service)
	if r.State != state || !strings.Contains(r.Reason, reason) {
		w.t.Errorf("%s is %s: %s\nwant %s: …%s…", service, r.State, r.Reason, state, reason)
	}
	return r
}

// firing are the alerts that people have now, by name and service.
func (w *world) firing() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ends := map[string]time.Time{}
	for _, a := range w.alerts {
		ends[a.Labels["alertname"]+" "+a.Labels["service"]+" "+a.Labels["severity"]] = a.EndsAt
	}
	var out []string
	for name, end := range ends {
		if end.After(time.Now()) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// did are the audited actions about a service, in order.
func (w *world) did(service string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, e := range w.audited {
		if e.Details["service"] == service {
			out = append(out, strings.TrimPrefix(e.Action, "remedy."))
		}
	}
	return strings.Join(out, " ")
}
