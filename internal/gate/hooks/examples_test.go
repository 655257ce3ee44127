package hooks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

// documents reads a YAML file of several documents.
func documents(t *testing.T, file string) (out []map[string]any) {
	t.Helper()
	text, err := os.ReadFile("../../../examples/pipelines/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var v map[string]any
		if err := yaml.Unmarshal([]byte(doc), &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, v)
	}
	return out
}

// at walks to a value: map keys as strings, list positions as ints.
func at[T any](t *testing.T, v any, path ...any) T {
	t.Helper()
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || m[key] == nil {
				t.Fatalf("no %s on the way %v", key, path)
			}
			v = m[key]
		case int:
			v = v.([]any)[key]
		}
	}
	out, ok := v.(T)
	if !ok {
		t.Fatalf("%v is %T", path, v)
	}
	return out
}

func configured(t *testing.T, v model.Verdict) (*hooktest.Rooms, http.Handler) {
	t.Helper()
	rooms, _ := hooktest.New(t, v)
	cfg := DefaultConfig()
	cfg.Argo.Enabled, cfg.Argo.TokenFile = true, hooktest.Secret(t, "argo-token")
	cfg.Flagger.Enabled, cfg.Flagger.TokenFile = true, hooktest.Secret(t, "flagger-token")
	cfg.Kubernetes.Enabled = true
	h, err := New(cfg, hook.Deps{Gate: rooms, Deploys: rooms, Audit: rooms, Now: hooktest.Now})
	if err != nil {
		t.Fatal(err)
	}
	return rooms, h.Handler()
}

func pathOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

// The AnalysisTemplate is carried out as Argo Rollouts does: arguments are
// filled in, the request is sent, the value at jsonPath is compared.
func TestTheAnalysisTemplateOfTheExampleWorks(t *testing.T) {
	metric := at[map[string]any](t, documents(t, "argo-rollouts.yaml")[0], "spec", "metrics", 0)
	web := at[map[string]any](t, metric, "provider", "web")
	fill := strings.NewReplacer("{{args.service}}", "edge", "{{args.environment}}", "prod", "{{args.version}}", "2.4.1", "{{args.token}}", "argo-token").Replace
	if at[string](t, web, "jsonPath") != "{$.verdict}" || at[string](t, metric, "successCondition") != `result == "allow"` || at[string](t, metric, "failureCondition") != `result == "block"` {
		t.Fatalf("the conditions are others: %v", metric)
	}
	header := http.Header{}
	for _, h := range at[[]any](t, web, "headers") {
		header.Set(at[string](t, h, "key"), fill(at[string](t, h, "value")))
	}
	for _, verdict := range []model.Verdict{model.VerdictAllow, model.VerdictBlock, model.VerdictHold} {
		rooms, h := configured(t, verdict)
		status, answer := hooktest.Serve(t, h, at[string](t, web, "method"), pathOf(t, at[string](t, web, "url")), fill(at[string](t, web, "body")), header)
		var v struct {
			Verdict string `json:"verdict"`
		}
		if err := json.Unmarshal([]byte(answer), &v); err != nil || status != http.StatusOK || v.Verdict != string(verdict) {
			t.Errorf("%d %s", status, answer)
		}
		want := []model.GateRequest{{Service: "edge", Environment: "prod", Version: "2.4.1", Actor: "argo-rollouts"}}
		if d := cmp.Diff(want, rooms.Asked()); d != "" {
			t.Error(d)
		}
	}
}

// The notification templates are rendered with the Rollout of the same file.
func TestTheNotificationsOfTheExampleBecomeOneMarker(t *testing.T) {
	docs := documents(t, "argo-rollouts.yaml")
	rollout, data := docs[1], at[map[string]any](t, docs[2], "data")
	meta := at[map[string]any](t, rollout, "metadata")
	meta["uid"] = "5f1c"
	at[map[string]any](t, meta, "annotations")["rollout.argoproj.io/revision"] = "7"
	var service struct {
		URL     string `yaml:"url"`
		Headers []struct{ Name, Value string }
	}
	if err := yaml.Unmarshal([]byte(at[string](t, data, "service.webhook.signalbox")), &service); err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for _, h := range service.Headers {
		header.Set(h.Name, strings.ReplaceAll(h.Value, "$signalbox-token", "argo-token"))
	}
	rooms, h := configured(t, model.VerdictAllow)
	for _, event := range []string{"updated", "completed"} {
		if !strings.Contains(at[string](t, data, "trigger.on-rollout-"+event), "signalbox-"+event) {
			t.Errorf("%s triggers nothing", event)
		}
		var tpl map[string]map[string]map[string]string
		if err := yaml.Unmarshal([]byte(at[string](t, data, "template.signalbox-"+event)), &tpl); err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if err := template.Must(template.New(event).Parse(tpl["webhook"]["signalbox"]["body"])).Execute(&body, map[string]any{"rollout": rollout}); err != nil {
			t.Fatal(err)
		}
		if status, answer := hooktest.Serve(t, h, tpl["webhook"]["signalbox"]["method"], pathOf(t, service.URL), body.String(), header); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", event, status, answer)
		}
	}
	m := rooms.Markers()
	if len(m) != 1 || m[0].ID != "argo-shop-edge-5f1c-7" || m[0].Version != "2.4.1" || m[0].Status != "succeeded" || m[0].Environment != "prod" {
		t.Errorf("markers %+v", m)
	}
}

// Every webhook of the Canary is called as Flagger does.
func TestTheCanaryOfTheExampleWorks(t *testing.T) {
	canary := documents(t, "flagger.yaml")[0]
	for _, verdict := range []model.Verdict{model.VerdictAllow, model.VerdictBlock} {
		_, h := configured(t, verdict)
		for i := range at[[]any](t, canary, "spec", "analysis", "webhooks") {
			w := at[map[string]any](t, canary, "spec", "analysis", "webhooks", i)
			typ := at[string](t, w, "type")
			body, err := json.Marshal(map[string]any{"name": "edge", "namespace": "shop", "phase": "Progressing", "checksum": "85d5", "metadata": w["metadata"]})
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[(verdict == model.VerdictAllow) != (typ == "rollback")]
			if typ == "event" {
				want = http.StatusCreated
			}
			if status, answer := hooktest.Serve(t, h, "POST", pathOf(t, at[string](t, w, "url")), string(body), nil); status != want {
				t.Errorf("%s, %s: %d %s", typ, verdict, status, answer)
			}
		}
	}
}

func TestTheAdmissionManifestPointsAtTheHook(t *testing.T) {
	docs := documents(t, "kubernetes-admission.yaml")
	w := at[map[string]any](t, docs[0], "webhooks", 0)
	if at[string](t, w, "sideEffects") != "NoneOnDryRun" || at[string](t, w, "admissionReviewVersions", 0) != "v1" {
		t.Errorf("webhook %v", w)
	}
	service := at[map[string]any](t, w, "clientConfig", "service")
	if at[string](t, service, "name") != at[string](t, docs[1], "metadata", "name") || at[string](t, service, "namespace") != at[string](t, docs[1], "metadata", "namespace") {
		t.Error("the Service is another")
	}
	_, h := configured(t, model.VerdictBlock)
	body := `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"kind":"Deployment"},"operation":"CREATE",
		"object":{"metadata":{"name":"edge"},"spec":{"template":{"metadata":{"labels":{"app.kubernetes.io/name":"edge"}}}}}}}`
	if status, answer := hooktest.Serve(t, h, "POST", at[string](t, service, "path"), body, nil); status != http.StatusOK || !strings.Contains(answer, `"allowed":false`) {
		t.Errorf("%d %s", status, answer)
	}
}
