package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rulePayload has the fields that GitHub documents for
// deployment_protection_rule; BASE stands for the API.
const rulePayload = `{
	"action": "requested", "environment": "production", "event": "push",
	"deployment_callback_url": "BASE/repos/broker/Edge-API/actions/runs/5120/deployment_protection_rule",
	"deployment": {"url": "BASE/repos/broker/Edge-API/deployments/77", "id": 77, "node_id": "DE_1", "task": "deploy", "original_environment": "production",
		"environment": "production", "description": null, "created_at": "2026-03-02T13:50:00Z", "updated_at": "2026-03-02T13:50:00Z",
		"sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "ref": "v2.4.1", "creator": {"login": "ada", "id": 7, "type": "User"}, "payload": {}},
	"pull_requests": [],
	"repository": {"id": 186853002, "name": "Edge-API", "full_name": "broker/Edge-API", "private": true, "owner": {"login": "broker"}},
	"organization": {"login": "broker", "id": 3},
	"installation": {"id": 29, "node_id": "MDIz"},
	"sender": {"login": "ada", "id": 7, "type": "User"}
}`

// statusPayload has the fields that GitHub documents for deployment_status.
const statusPayload = `{
	"action": "created",
	"deployment_status": {"id": 209, "state": "success", "creator": {"login": "ada"}, "description": "live", "environment": "production",
		"target_url": "https://ci.test/1", "log_url": "https://github.test/broker/Edge-API/actions/runs/5120", "created_at": "2026-03-02T13:55:00Z"},
	"deployment": {"id": 77, "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "ref": "v2.4.1", "task": "deploy", "payload": {}, "environment": "production"},
	"repository": {"id": 186853002, "name": "Edge-API", "full_name": "broker/Edge-API"},
	"sender": {"login": "ada"}, "installation": {"id": 29}
}`

type reviewed struct {
	Environment string `json:"environment_name"`
	State       string `json:"state"`
	Comment     string `json:"comment"`
}

// fakeHub is GitHub's API, strictly as documented.
type fakeHub struct {
	t       *testing.T
	key     *rsa.PublicKey
	mu      sync.Mutex
	answers []int // of the review endpoint; 204 after them
	reviews []reviewed
	tokens  int
}

func (f *fakeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPost || r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.Header.Get("User-Agent") == "" {
		f.t.Errorf("not as documented: %s %s %v", r.Method, r.URL, r.Header)
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch r.URL.Path {
	case "/api/v3/app/installations/29/access_tokens":
		f.token(w, bearer, body)
	case "/api/v3/repos/broker/Edge-API/actions/runs/5120/deployment_protection_rule":
		if bearer != "ghs_installation" {
			f.t.Errorf("bearer %q", bearer)
		}
		if len(f.answers) > 0 {
			w.WriteHeader(f.answers[0])
			f.answers = f.answers[1:]
			return
		}
		var got reviewed
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			f.t.Error(err)
		}
		f.reviews = append(f.reviews, got)
		w.WriteHeader(http.StatusNoContent)
	default:
		f.t.Errorf("unexpected %s", r.URL)
	}
}

func (f *fakeHub) token(w http.ResponseWriter, bearer string, body []byte) {
	f.tokens++
	claims := jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(bearer, &claims, func(*jwt.Token) (any, error) { return f.key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(hooktest.Now), jwt.WithIssuer("Iv1.app"), jwt.WithIssuedAt())
	if err != nil || claims.ExpiresAt.Sub(hooktest.Now()) > 10*time.Minute {
		f.t.Errorf("the app's token: %v, %+v", err, claims)
	}
	if want := `{"permissions":{"deployments":"write"},"repository_ids":[186853002]}`; string(body) != want {
		f.t.Errorf("asked for %s, want %s", body, want)
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": "ghs_installation", "expires_at": hooktest.Now().Add(time.Hour)})
}

type world struct {
	rooms *hooktest.Rooms
	h     http.Handler
	sent  func()
	hub   *fakeHub
	base  string
	n     int
}

func newWorld(t *testing.T, v model.Verdict) *world {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{hub: &fakeHub{t: t, key: &key.PublicKey}}
	srv := httptest.NewServer(w.hub)
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	w.base = srv.URL + "/api/v3"
	rooms, kit := hooktest.New(t, v)
	cfg := DefaultConfig()
	cfg.APIURL, cfg.AppID, cfg.Version = w.base, "Iv1.app", "ref"
	cfg.WebhookSecretFile = hooktest.Secret(t, "hook-secret")
	cfg.PrivateKeyFile = hooktest.Secret(t, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	cfg.Services, cfg.Environments = map[string]string{"broker/Edge-API": "edge"}, map[string]string{"production": "prod"}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	h, err := New(cfg, kit)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Register(mux, "/hooks")
	w.rooms, w.h, w.sent = rooms, mux, hooktest.Run(t, kit)
	return w
}

// header is what GitHub sends beside the body.
func (w *world) header(event, body string) http.Header {
	w.n++
	mac := hmac.New(sha256.New, []byte("hook-secret"))
	mac.Write([]byte(body))
	return http.Header{
		"X-GitHub-Event": {event}, "X-GitHub-Delivery": {"72d3162e-cc78-11e3-" + string(rune('a'+w.n))}, "Content-Type": {"application/json"},
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}
}

func (w *world) payload(body string) string { return strings.ReplaceAll(body, "BASE", w.base) }

func TestADeploymentIsReviewedAtItsCallback(t *testing.T) {
	for verdict, want := range map[model.Verdict]string{
		model.VerdictAllow: "approved", model.VerdictBlock: "rejected", model.VerdictHold: "rejected", model.VerdictInsufficient: "rejected",
	} {
		t.Run(string(verdict), func(t *testing.T) {
			w := newWorld(t, verdict)
			w.hub.answers = []int{503}
			body := w.payload(rulePayload)
			status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, w.header("deployment_protection_rule", body))
			if status != http.StatusAccepted {
				t.Fatalf("%d %s", status, answer)
			}
			w.sent()
			if len(w.hub.reviews) != 1 || w.hub.tokens != 1 {
				t.Fatalf("reviews %+v, tokens %d", w.hub.reviews, w.hub.tokens)
			}
			got := w.hub.reviews[0]
			if got.State != want || got.Environment != "production" || len(got.Comment) > 1024 ||
				!strings.Contains(got.Comment, "The verdict is "+string(verdict)) || !strings.Contains(got.Comment, "21× over 1 h") ||
				!strings.Contains(got.Comment, "(https://signalbox.example.org/gate/0190-decision)") {
				t.Errorf("review %+v", got)
			}
			asked := model.GateRequest{Service: "edge", Environment: "prod", Version: "v2.4.1", Actor: "github:ada"}
			if d := cmp.Diff([]model.GateRequest{asked}, w.rooms.Asked()); d != "" {
				t.Error(d)
			}
			if a := w.rooms.Audited(); len(a) != 1 || a[0].Action != "hook.reply" || a[0].Details["outcome"] != "sent" || a[0].Details["attempts"] != "2" {
				t.Errorf("audit %+v", a)
			}
		})
	}
}

func TestADeliveryCountsOnce(t *testing.T) {
	w := newWorld(t, model.VerdictAllow)
	body := w.payload(rulePayload)
	header := w.header("deployment_protection_rule", body)
	other := w.header("deployment_protection_rule", body) // recorded, and sent again under another id
	for i, h := range []http.Header{header, header, other} {
		status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, h)
		if want := map[bool]int{true: http.StatusAccepted, false: http.StatusOK}[i == 0]; status != want {
			t.Errorf("delivery %d: %d %s", i, status, answer)
		}
	}
	w.sent()
	if len(w.hub.reviews) != 1 || len(w.rooms.Asked()) != 1 {
		t.Errorf("%d reviews, %d questions", len(w.hub.reviews), len(w.rooms.Asked()))
	}
}

func TestADeliveryWhoseReplyFailedMayComeAgain(t *testing.T) {
	w := newWorld(t, model.VerdictAllow)
	w.hub.answers = []int{422}
	body := w.payload(rulePayload)
	header := w.header("deployment_protection_rule", body)
	if status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, header); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	w.sent()
	if status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, header); status != http.StatusAccepted {
		t.Errorf("%d %s", status, answer)
	}
	if a := w.rooms.Audited(); len(a) != 1 || a[0].Details["outcome"] != "failed" {
		t.Errorf("audit %+v", a)
	}
}

func TestWhatIsNotAsDocumentedIsRefused(t *testing.T) {
	w := newWorld(t, model.VerdictAllow)
	rule := w.payload(rulePayload)
	post := func(event, body string, change func(http.Header)) (int, string) {
		h := w.header(event, body)
		if change != nil {
			change(h)
		}
		return hooktest.Serve(t, w.h, "POST", "/hooks/github", body, h)
	}
	for _, field := range []string{"action", "environment", "deployment.id", "deployment.ref", "deployment", "repository.full_name", "deployment_callback_url", "installation.id"} {
		if status, answer := post("deployment_protection_rule", hooktest.Without(t, rule, field), nil); status != http.StatusBadRequest || !strings.Contains(answer, field) {
			t.Errorf("%s: %d %s", field, status, answer)
		}
	}
	for _, url := range []string{
		"https://evil.test/api/v3/repos/broker/Edge-API/actions/runs/1/deployment_protection_rule",
		w.base + "/repos/other/repo/actions/runs/1/deployment_protection_rule",
		w.base + "/repos/broker/Edge-API/actions/runs/1/cancel",
		w.base + "/repos/broker/Edge-API/actions/runs/x/deployment_protection_rule",
		w.base + "/repos/broker/Edge-API/actions/runs/1/deployment_protection_rule?x=1",
		w.base + "/../admin", "http://169.254.169.254/latest/meta-data", "not a url\x7f",
	} {
		body := hooktest.With(t, rule, "deployment_callback_url", url)
		if status, answer := post("deployment_protection_rule", body, nil); status != http.StatusBadRequest || !strings.Contains(answer, "deployment_callback_url") {
			t.Errorf("%s: %d %s", url, status, answer)
		}
	}
	for name, c := range map[string]struct {
		want   int
		event  string
		change func(http.Header)
	}{
		"no signature":             {401, "ping", func(h http.Header) { delete(h, "X-Hub-Signature-256") }},
		"the old kind of one":      {401, "ping", func(h http.Header) { h["X-Hub-Signature-256"] = []string{"sha1=abcd"} }},
		"of another body":          {401, "ping", func(h http.Header) { h["X-Hub-Signature-256"] = []string{"sha256=" + strings.Repeat("ab", 32)} }},
		"a form":                   {400, "ping", func(h http.Header) { h["Content-Type"] = []string{"application/x-www-form-urlencoded"} }},
		"no event":                 {400, "", nil},
		"no delivery":              {400, "ping", func(h http.Header) { delete(h, "X-GitHub-Delivery") }},
		"a ping":                   {200, "ping", nil},
		"an event of no use":       {200, "push", nil},
		"a status that is no JSON": {400, "deployment_status", nil},
	} {
		if status, answer := post(c.event, `"`+name+`"`, c.change); status != c.want {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if len(w.rooms.Asked()) != 0 {
		t.Errorf("the gate was asked %v", w.rooms.Asked())
	}
}

func TestDeploymentStatusesBecomeOneMarker(t *testing.T) {
	w := newWorld(t, model.VerdictAllow)
	started := hooktest.With(t, hooktest.With(t, statusPayload, "deployment_status.state", "in_progress"), "deployment_status.created_at", "2026-03-02T13:50:00Z")
	queued := hooktest.With(t, statusPayload, "deployment_status.state", "queued")
	for _, body := range []string{started, queued, statusPayload} {
		if status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, w.header("deployment_status", body)); status/100 != 2 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	want := model.Deploy{
		ID: "github-186853002-77", Time: time.Date(2026, 3, 2, 13, 50, 0, 0, time.UTC), Service: "edge", Environment: "prod", Version: "v2.4.1",
		Kind: "deploy", Status: "succeeded", Actor: "ada", Link: "https://github.test/broker/Edge-API/actions/runs/5120", Message: "live",
	}
	if d := cmp.Diff([]model.Deploy{want}, w.rooms.Markers()); d != "" {
		t.Error(d)
	}
	for _, field := range []string{"deployment_status.state", "deployment.id", "deployment.ref", "repository.id", "repository.full_name"} {
		body := hooktest.Without(t, statusPayload, field)
		if status, answer := hooktest.Serve(t, w.h, "POST", "/hooks/github", body, w.header("deployment_status", body)); status != http.StatusBadRequest || !strings.Contains(answer, field) {
			t.Errorf("%s: %d %s", field, status, answer)
		}
	}
}

func FuzzPayloads(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(rulePayload, "BASE", "https://api.github.com")))
	f.Add([]byte(statusPayload))
	f.Add([]byte(`{"action":"requested","environment":"e","deployment":{"id":1,"sha":"a"},"repository":{"name":"b","full_name":"a/b"},"installation":{"id":1},"deployment_callback_url":"https://api.github.com/repos/a/b/actions/runs/1/../deployment_protection_rule"}`))
	h, err := New(DefaultConfig(), &hook.Kit{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, u, err := h.parseRule(body); err == nil && (u.Host != "api.github.com" || u.Scheme != "https" || e.Environment == "") {
			t.Errorf("accepted %+v, %s", e, u)
		}
		if d, ignored, err := h.marker(body); err == nil && ignored == "" && (d.Version == "" || d.ID == "") {
			t.Errorf("accepted %+v", d)
		}
	})
}
