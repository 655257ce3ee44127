package hooks

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestAHookThatProvesNobodyIsNamedWithItsCure(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string // of Unproved; "" for none
		bad    string // of Validate
	}{
		{"all off", func(*Config) {}, "", ""},
		{"argo", func(c *Config) { c.Argo.Enabled = true }, "argo.token_file: must be given", ""},
		{"argo with a token", func(c *Config) { c.Argo.Enabled, c.Argo.TokenFile = true, "t" }, "", ""},
		{"flagger", func(c *Config) { c.Flagger.Enabled = true }, "flagger.token_file: must be given", ""},
		{"kubernetes", func(c *Config) { c.Kubernetes.Enabled = true }, "kubernetes.token_file: must be given, or client_ca_file", ""},
		{"kubernetes with a token", func(c *Config) { c.Kubernetes.Enabled, c.Kubernetes.TokenFile = true, "t" }, "", ""},
		{"a listener for everybody", func(c *Config) { listen(c, ":9443", "") }, "kubernetes.token_file", "kubernetes.listen_address: beyond this machine"},
		{"a listener by name", func(c *Config) { listen(c, "box.example:9443", "") }, "kubernetes.token_file", "kubernetes.listen_address: beyond this machine"},
		{"a listener for this machine", func(c *Config) { listen(c, "127.0.0.1:9443", "") }, "kubernetes.token_file", ""},
		{"a listener that asks for certificates", func(c *Config) { listen(c, ":9443", "ca") }, "", ""},
		{"a token that is of no use", func(c *Config) { c.Kubernetes.TokenFile = "t" }, "", "kubernetes.enabled: must be true"},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		for what, found := range map[string]struct {
			errs []error
			want string
		}{"unproved": {cfg.Unproved(), c.want}, "invalid": {cfg.Validate(), c.bad}} {
			text := ""
			if err := errors.Join(found.errs...); err != nil {
				text = err.Error()
			}
			if (text == "") != (found.want == "") || !strings.Contains(text, found.want) {
				t.Errorf("%s: %s: %q, want %q", c.name, what, text, found.want)
			}
		}
	}
}

func listen(c *Config, address, clientCA string) {
	k := &c.Kubernetes
	k.Enabled, k.ListenAddress, k.CertFile, k.KeyFile, k.ClientCAFile = true, address, "c", "k", clientCA
}

// Whoever has no secret gets 401 from every hook, asks the gate nothing and marks nothing.
func TestForgedCallsOfEveryHookAreRefused(t *testing.T) {
	rooms, _ := hooktest.New(t, model.VerdictAllow)
	cfg := DefaultConfig()
	secret := hooktest.Secret(t, "the secret")
	cfg.Argo.Enabled, cfg.Argo.TokenFile = true, secret
	cfg.Flagger.Enabled, cfg.Flagger.TokenFile = true, secret
	cfg.Kubernetes.Enabled, cfg.Kubernetes.TokenFile = true, secret
	cfg.GitLab.TokenFile, cfg.GitLab.StatusCheckSecretFile, cfg.GitLab.WebhookTokenFile = secret, secret, secret
	cfg.GitHub.WebhookSecretFile, cfg.GitHub.TokenFile = secret, secret
	h, err := New(cfg, hook.Deps{Gate: rooms, Deploys: rooms, Audit: rooms, Now: hooktest.Now})
	if err != nil {
		t.Fatal(err)
	}
	forged := []http.Header{
		nil,
		{"Authorization": {"Bearer "}, "X-Gitlab-Token": {""}, "X-Hub-Signature-256": {""}, "X-Gitlab-Signature": {""}},
		{"Authorization": {"Bearer the secre"}, "X-Gitlab-Token": {"the secre"}, "X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}},
		{"Authorization": {"Basic the secret"}, "X-Gitlab-Token": {"the secret "}, "X-Hub-Signature-256": {"sha1=" + strings.Repeat("0", 40)}},
	}
	body := `{"name":"edge","namespace":"shop","service":"edge","metadata":{"token":"the secre"}}`
	paths := []string{
		"/argo/verdict", "/argo/notifications", "/flagger/confirm-rollout", "/flagger/rollback", "/flagger/event", "/kubernetes/admission",
		"/gitlab/status-check", "/gitlab/deployments", "/github",
	}
	for _, path := range paths {
		for i, header := range forged {
			if status, answer := hooktest.Serve(t, h.Handler(), http.MethodPost, Prefix+path, body, header); status != http.StatusUnauthorized {
				t.Errorf("%s %d: %d %s", path, i, status, answer)
			}
		}
	}
	if len(rooms.Asked()) != 0 || len(rooms.Markers()) != 0 {
		t.Errorf("asked %v, marked %v", rooms.Asked(), rooms.Markers())
	}
}

// Where only a certificate proves who asks, the web port, which asks for none, does not serve the webhook.
func TestTheWebPortDoesNotServeWhatOnlyACertificateProves(t *testing.T) {
	rooms, _ := hooktest.New(t, model.VerdictAllow)
	for token, want := range map[string]int{"": http.StatusNotFound, hooktest.Secret(t, "s"): http.StatusUnauthorized} {
		cfg := DefaultConfig()
		listen(&cfg, ":9443", "ca")
		cfg.Kubernetes.TokenFile = token
		h, err := New(cfg, hook.Deps{Gate: rooms, Deploys: rooms, Audit: rooms, Now: hooktest.Now})
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := hooktest.Serve(t, h.Handler(), http.MethodPost, Prefix+"/kubernetes/admission", "{}", nil); status != want {
			t.Errorf("%d %s", status, answer)
		}
	}
}
