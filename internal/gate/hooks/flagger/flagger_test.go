package flagger

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Payloads have the fields that Flagger documents.
const (
	gatePayload  = `{"name":"edge","namespace":"shop","phase":"Progressing","checksum":"85d557f47b","metadata":{"version":"2.4.1","token":"flagger-token"}}`
	eventPayload = `{"name":"edge","namespace":"shop","phase":"Succeeded","checksum":"85d557f47b","metadata":{"eventMessage":"Promotion completed!","eventType":"Normal","timestamp":"1772459700000","token":"flagger-token"}}`
)

func newHook(t *testing.T, v model.Verdict, token string) (*hooktest.Rooms, http.Handler) {
	t.Helper()
	rooms, kit := hooktest.New(t, v)
	cfg := Config{Enabled: true, Environments: map[string]string{"shop": "prod"}}
	if token != "" {
		cfg.TokenFile = hooktest.Secret(t, token)
	}
	mux := http.NewServeMux()
	New(cfg, kit).Register(mux, "/hooks")
	return rooms, mux
}

// advances is Flagger's reading of a status: 200 to 202 goes on.
func advances(status int) bool { return status >= 200 && status <= 202 }

func TestOnlyAnAllowAdvancesAndOnlyABlockRollsBack(t *testing.T) {
	for _, verdict := range []model.Verdict{model.VerdictAllow, model.VerdictBlock, model.VerdictHold, model.VerdictInsufficient} {
		rooms, h := newHook(t, verdict, "")
		for _, typ := range []string{"confirm-rollout", "pre-rollout", "rollout", "confirm-promotion", "confirm-traffic-increase"} {
			status, answer := hooktest.Serve(t, h, "POST", "/hooks/flagger/"+typ, gatePayload, nil)
			if advances(status) != (verdict == model.VerdictAllow) || !strings.Contains(answer, "The verdict is "+string(verdict)) {
				t.Errorf("%s of %s: %d %s", typ, verdict, status, answer)
			}
		}
		status, answer := hooktest.Serve(t, h, "POST", "/hooks/flagger/rollback", gatePayload, nil)
		if advances(status) != (verdict == model.VerdictBlock) {
			t.Errorf("rollback of %s: %d %s", verdict, status, answer)
		}
		want := model.GateRequest{Service: "edge", Environment: "prod", Version: "2.4.1", Actor: "flagger:shop/edge"}
		if d := cmp.Diff(want, rooms.Asked()[0]); d != "" {
			t.Error(d)
		}
	}
}

func TestEventsBecomeOneMarker(t *testing.T) {
	rooms, h := newHook(t, model.VerdictAllow, "flagger-token")
	started := strings.NewReplacer("Succeeded", "Progressing", "1772459700000", "1772459400000").Replace(eventPayload)
	for body, want := range map[string]int{strings.Replace(eventPayload, "Succeeded", "Waiting", 1): http.StatusOK} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/flagger/event", body, nil); status != want {
			t.Fatalf("%d %s", status, answer)
		}
	}
	for _, body := range []string{started, eventPayload} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/flagger/event", body, nil); status != http.StatusCreated {
			t.Fatalf("%d %s", status, answer)
		}
	}
	want := model.Deploy{
		ID: "flagger-shop-edge-85d557f47b", Time: time.UnixMilli(1772459400000).UTC(), Service: "edge", Environment: "prod", Version: "85d557f47b",
		Kind: "deploy", Status: "succeeded", Actor: "flagger", Message: "Promotion completed!",
	}
	if d := cmp.Diff([]model.Deploy{want}, rooms.Markers()); d != "" {
		t.Error(d)
	}
}

func TestWhatIsNotAsDocumentedIsRefused(t *testing.T) {
	rooms, h := newHook(t, model.VerdictAllow, "flagger-token")
	for _, c := range []struct {
		path, body string
		want       int
		text       string
	}{
		{"rollout", hooktest.Without(t, gatePayload, "name"), 400, "name: missing"},
		{"rollout", hooktest.Without(t, gatePayload, "namespace"), 400, "namespace: missing"},
		{"rollout", hooktest.Without(t, gatePayload, "phase"), 400, "phase: missing"},
		{"rollout", hooktest.Without(t, gatePayload, "metadata"), 401, "metadata.token"},
		{"rollout", hooktest.With(t, gatePayload, "metadata.token", "other"), 401, "metadata.token"},
		{"rollout", strings.Replace(gatePayload, `"version"`, `"critical":"perhaps","version"`, 1), 400, "metadata.critical"},
		{"rollout", hooktest.With(t, gatePayload, "metadata", []int{1}), 400, "metadata: must be an object"},
		{"rollout", "", 400, "not the JSON"},
		{"event", hooktest.With(t, eventPayload, "metadata.timestamp", "now"), 400, "metadata.timestamp"},
		{"event", hooktest.Without(t, eventPayload, "checksum"), 400, "metadata.version"},
		{"unheard-of", gatePayload, 404, ""},
	} {
		status, answer := hooktest.Serve(t, h, "POST", "/hooks/flagger/"+c.path, c.body, nil)
		if status != c.want || !strings.Contains(answer, c.text) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, answer)
		}
	}
	if len(rooms.Asked())+len(rooms.Markers()) != 0 {
		t.Error("something was done")
	}
	if _, h := newHook(t, model.VerdictAllow, ""); h != nil {
		if status, _ := hooktest.Serve(t, h, "POST", "/hooks/flagger/event", eventPayload, nil); status != http.StatusNotFound {
			t.Errorf("events without a token: %d", status)
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte(gatePayload))
	f.Add([]byte(eventPayload))
	h := New(Config{}, &hook.Kit{})
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := h.parse(body)
		if err != nil {
			return
		}
		if d, ignored, err := h.marker(p); err == nil && ignored == "" && (d.Service == "" || d.Version == "") {
			t.Errorf("accepted %+v", d)
		}
	})
}
