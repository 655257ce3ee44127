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

func TestNothingIsServedUntilItIsConfigured(t *testing.T) {
	r, _ := hooktest.New(t, model.VerdictAllow)
	h, err := New(DefaultConfig(), hook.Deps{Gate: r, Deploys: r, Audit: r})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"gitlab/status-check", "gitlab/deployments", "github", "argo/verdict", "argo/notifications", "flagger/rollout", "kubernetes/admission"} {
		if status, answer := hooktest.Serve(t, h.Handler(), "POST", Prefix+"/"+path, "{}", nil); status != http.StatusNotFound || !strings.Contains(answer, `"not_found"`) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

func TestTheConfigurationIsCheckedWhole(t *testing.T) {
	c := DefaultConfig()
	if errs := c.Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	c.Replies.Attempts, c.Replies.Timeout, c.Replies.Backoff = 0, 0, 0
	c.GitLab.URL, c.GitLab.StatusCheckSecretFile, c.GitLab.Version = "gitlab.com", "x", "tag"
	c.GitHub.APIURL, c.GitHub.AppID, c.GitHub.Version = "https://user@api.github.com", "1", ""
	c.Argo.TokenFile, c.Flagger.TokenFile = "x", "x"
	c.Kubernetes.ListenAddress, c.Kubernetes.ServiceLabel = ":9443", ""
	text := errors.Join(c.Validate()...).Error()
	for _, want := range []string{
		"replies.attempts: ", "replies.timeout: ", "replies.backoff: ", "gitlab.url: ", "gitlab.token_file: ", "gitlab.version: ", "github.api_url: ", "github.private_key_file: ",
		"github.version: ", "argo.enabled: ", "flagger.enabled: ", "kubernetes.listen_address: ", "kubernetes.enabled: ", "kubernetes.service_label: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := len(c.Files()); n != 12 {
		t.Errorf("%d files", n)
	}
}
