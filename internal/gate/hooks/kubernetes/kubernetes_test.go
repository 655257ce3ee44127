package kubernetes

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A Deployment as the API server sends it; VERSION and REPLICAS are replaced.
const deployment = `{"apiVersion": "apps/v1", "kind": "Deployment",
	"metadata": {"name": "edge", "namespace": "shop", "uid": "8d9c", "generation": 3, "labels": {"app.kubernetes.io/name": "edge-workload"}, "annotations": {}},
	"spec": {"replicas": REPLICAS, "selector": {"matchLabels": {"app.kubernetes.io/name": "edge"}},
		"template": {"metadata": {"creationTimestamp": null, "labels": {"app.kubernetes.io/name": "edge", "app.kubernetes.io/version": "VERSION"}},
			"spec": {"containers": [{"name": "edge", "image": "registry.test/edge:VERSION", "ports": [{"containerPort": 8080}]}]}}},
	"status": {}}`

func object(version, replicas string) string {
	return strings.NewReplacer("VERSION", version, "REPLICAS", replicas).Replace(deployment)
}

// reviewOf has the fields of an AdmissionReview v1 request.
func reviewOf(operation, object, old string) string {
	return `{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
		"uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
		"kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "resource": {"group": "apps", "version": "v1", "resource": "deployments"}, "subResource": "",
		"requestKind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "requestResource": {"group": "apps", "version": "v1", "resource": "deployments"},
		"name": "edge", "namespace": "shop", "operation": "` + operation + `",
		"userInfo": {"username": "ada", "uid": "014f", "groups": ["system:authenticated", "developers"], "extra": {}},
		"object": ` + object + `, "oldObject": ` + old + `, "options": {"apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions"}, "dryRun": false}}`
}

func newHook(t *testing.T, v model.Verdict, change func(*Config)) (*hooktest.Rooms, http.Handler) {
	t.Helper()
	rooms, kit := hooktest.New(t, v)
	cfg := DefaultConfig()
	cfg.Enabled, cfg.Environments = true, map[string]string{"shop": "prod"}
	if change != nil {
		change(&cfg)
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	mux := http.NewServeMux()
	New(cfg, kit).Register(mux, "/hooks")
	return rooms, mux
}

// ask plays the API server: it reads the answer strictly.
func ask(t *testing.T, h http.Handler, body string) response {
	t.Helper()
	status, answer := hooktest.Serve(t, h, "POST", "/hooks/kubernetes/admission", body, http.Header{"Content-Type": {"application/json"}})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	var out review
	d := json.NewDecoder(strings.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	if out.APIVersion != "admission.k8s.io/v1" || out.Kind != "AdmissionReview" || out.Response == nil || out.Response.UID != "705ab4f5-6393-11e8-b7cc-42010a800002" {
		t.Fatalf("answer %s", answer)
	}
	for _, w := range out.Response.Warnings {
		if len(w) > 256 {
			t.Errorf("the API server cuts %q", w)
		}
	}
	return *out.Response
}

func TestAChangeOfPodsIsGated(t *testing.T) {
	change := reviewOf("UPDATE", object("2.4.1", "3"), object("2.4.0", "3"))
	for _, c := range []struct {
		verdict model.Verdict
		change  func(*Config)
		allowed bool
		warned  bool
	}{
		{model.VerdictAllow, nil, true, false},
		{model.VerdictBlock, nil, false, false},
		{model.VerdictHold, nil, false, false},
		{model.VerdictInsufficient, nil, false, false},
		{model.VerdictInsufficient, func(c *Config) { c.AllowInsufficient = true }, true, true},
		{model.VerdictBlock, func(c *Config) { c.AllowInsufficient, c.FailOpen = true, true }, false, false},
	} {
		rooms, h := newHook(t, c.verdict, c.change)
		got := ask(t, h, change)
		if got.Allowed != c.allowed || (len(got.Warnings) > 0) != c.warned {
			t.Errorf("%s: %+v", c.verdict, got)
		}
		if !got.Allowed && (got.Status == nil || got.Status.Code != 403 || !strings.Contains(got.Status.Message, "The verdict is "+string(c.verdict)) || !strings.Contains(got.Status.Message, "Decision 0190-decision")) {
			t.Errorf("%s: %+v", c.verdict, got.Status)
		}
		want := model.GateRequest{Service: "edge", Environment: "prod", Version: "2.4.1", Actor: "kubernetes:ada"}
		if d := cmp.Diff([]model.GateRequest{want}, rooms.Asked()); d != "" {
			t.Error(d)
		}
	}
}

func TestWhatChangesNoPodsPassesUnasked(t *testing.T) {
	rooms, h := newHook(t, model.VerdictBlock, nil)
	service := `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge"}, "spec": {"ports": []}}`
	reordered := strings.Replace(object("2.4.1", "3"), `{"creationTimestamp": null, "labels"`, `{"labels"`, 1)
	for name, body := range map[string]string{
		"scaling":             reviewOf("UPDATE", object("2.4.1", "9"), object("2.4.1", "3")),
		"deletion":            reviewOf("DELETE", "null", object("2.4.1", "3")),
		"a kind without pods": reviewOf("CREATE", service, "null"),
		"the status":          strings.Replace(reviewOf("UPDATE", object("2", "1"), object("1", "1")), `"subResource": ""`, `"subResource": "status"`, 1),
	} {
		if got := ask(t, h, body); !got.Allowed {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if len(rooms.Asked()) != 0 {
		t.Errorf("asked %v", rooms.Asked())
	}
	if got := ask(t, h, reviewOf("UPDATE", reordered, object("2.4.1", "3"))); got.Allowed {
		t.Error("another template passed")
	}
	if got := ask(t, h, reviewOf("CREATE", object("2.4.1", "3"), "null")); got.Allowed {
		t.Error("a new workload passed")
	}
}

func TestExemptUsersPassAndAreRecorded(t *testing.T) {
	change := reviewOf("UPDATE", object("2.4.0", "3"), object("2.4.1", "3"))
	for _, c := range []func(*Config){
		func(c *Config) { c.ExemptUsers = []string{"ada"} }, func(c *Config) { c.ExemptGroups = []string{"developers"} },
	} {
		rooms, h := newHook(t, model.VerdictBlock, c)
		if got := ask(t, h, change); !got.Allowed || len(got.Warnings) != 1 {
			t.Errorf("%+v", got)
		}
		if a := rooms.Audited(); len(a) != 1 || a[0].Action != "hook.exempt" || a[0].Actor != "ada" || a[0].Subject != "shop/Deployment/edge" {
			t.Errorf("audit %+v", a)
		}
	}
}

func TestWithoutADecisionTheConfigurationDecides(t *testing.T) {
	change := reviewOf("UPDATE", object("2.4.1", "3"), object("2.4.0", "3"))
	for _, open := range []bool{false, true} {
		rooms, h := newHook(t, "", func(c *Config) { c.FailOpen = open })
		rooms.Set("", errors.New("no disk"))
		if got := ask(t, h, change); got.Allowed != open {
			t.Errorf("fail_open %v: %+v", open, got)
		}
	}
	for _, required := range []bool{false, true} {
		rooms, h := newHook(t, model.VerdictBlock, func(c *Config) { c.RequireLabels = required })
		if got := ask(t, h, strings.ReplaceAll(change, "app.kubernetes.io/name", "app")); got.Allowed == required || len(rooms.Asked()) != 0 {
			t.Errorf("require_labels %v: %+v", required, got)
		}
	}
	rooms, h := newHook(t, model.VerdictBlock, nil)
	if got := ask(t, h, strings.Replace(change, `"dryRun": false`, `"dryRun": true`, 1)); !got.Allowed || len(got.Warnings) != 1 || len(rooms.Asked()) != 0 {
		t.Errorf("dry run: %+v", got)
	}
	critical := strings.ReplaceAll(change, `"annotations": {}`, `"annotations": {"signalbox.dev/critical": "true"}`)
	if ask(t, h, critical); !rooms.Asked()[0].Critical {
		t.Error("the annotation is not read")
	}
}

func TestWhatIsNotAsDocumentedIsRefused(t *testing.T) {
	_, h := newHook(t, model.VerdictAllow, nil)
	change := reviewOf("UPDATE", object("2.4.1", "3"), object("2.4.0", "3"))
	for _, c := range []struct{ body, want string }{
		{hooktest.Without(t, change, "request"), "request: missing"},
		{hooktest.Without(t, change, "request.uid"), "request.uid: missing"},
		{hooktest.Without(t, change, "request.operation"), "request.operation: missing"},
		{hooktest.With(t, change, "request.operation", "PATCH"), "request.operation: must be"},
		{hooktest.Without(t, change, "request.kind"), "request.kind.kind: missing"},
		{hooktest.Without(t, change, "request.object"), "request.object: missing"},
		{hooktest.Without(t, change, "request.oldObject"), "request.oldObject: missing"},
		{hooktest.With(t, change, "request.object", "text"), "must be an object"},
		{hooktest.With(t, change, "apiVersion", "admission.k8s.io/v1beta1"), "admissionReviewVersions"},
		{hooktest.With(t, change, "kind", "TokenReview"), "kind: must be AdmissionReview"},
		{"{", "not the JSON"},
	} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/kubernetes/admission", c.body, nil); status != http.StatusBadRequest || !strings.Contains(answer, c.want) {
			t.Errorf("want %q: %d %s", c.want, status, answer)
		}
	}
}

// log is a logger's output; the first line is kept.
type log chan string

func (l log) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

func TestTheListenerSpeaksTLSAndServesTheWebhookAlone(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signalbox"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	said := make(log, 1)
	_, kit := hooktest.New(t, model.VerdictAllow, func(d *hook.Deps) { d.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	cfg := DefaultConfig()
	cfg.Enabled, cfg.ListenAddress = true, "127.0.0.1:0"
	cfg.CertFile, cfg.KeyFile = hooktest.Secret(t, string(cert)), hooktest.Secret(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- New(cfg, kit).Run(ctx, "/hooks") }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	change := []byte(reviewOf("UPDATE", object("2.4.1", "3"), object("2.4.0", "3")))
	var line string
	select {
	case line = <-said:
	case err := <-done:
		t.Fatal(err)
	}
	_, address, ok := strings.Cut(strings.TrimSpace(line), `msg="admission webhook is listening" address=`)
	if !ok {
		t.Fatal(line)
	}
	resp, err := client.Post("https://"+address+"/hooks/kubernetes/admission", "application/json", bytes.NewReader(change))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(text), `"allowed":true`) {
		t.Errorf("%s", text)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	cfg.CertFile = filepath.Join(t.TempDir(), "missing")
	if err := New(cfg, kit).Run(t.Context(), "/hooks"); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a certificate that is missing: %v", err)
	}
}

func FuzzReview(f *testing.F) {
	f.Add([]byte(reviewOf("UPDATE", object("2.4.1", "3"), object("2.4.0", "3"))))
	f.Add([]byte(reviewOf("CREATE", `{"spec":{"template":{"metadata":{"labels":5}}}}`, "null")))
	f.Add([]byte(reviewOf("CREATE", `{"spec":{"template":[]}}`, "null")))
	h := New(DefaultConfig(), nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := parse(body)
		if err != nil {
			return
		}
		if w, gated, err := changed(req); err == nil && gated {
			h.question(req, w) // must not panic
		}
	})
}
