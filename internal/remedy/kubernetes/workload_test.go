package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/remedy/action"
)

// fakeServer has one Deployment, and takes the patches that are sent as the API server does.
type fakeServer struct {
	t        *testing.T
	replicas int
	more     string // of the spec
	template string
	patches  []string
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body)
		f.patches = append(f.patches, r.Header.Get("Content-Type")+" "+string(body))
		var ops []struct {
			Op, Path string
			Value    json.RawMessage
		}
		if json.Unmarshal(body, &ops) == nil && len(ops) == 2 && ops[0].Path == "/spec/replicas" {
			if ops[0].Op != "test" || string(ops[0].Value) != fmt.Sprint(f.replicas) {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the test failed","reason":"Invalid","code":422}`)
				return
			}
			_ = json.Unmarshal(ops[1].Value, &f.replicas)
		}
		if strings.Contains(string(body), restartedAt) {
			var p struct {
				Spec struct {
					Template struct{ Metadata json.RawMessage }
				}
			}
			_ = json.Unmarshal(body, &p)
			f.template = `{"metadata":` + string(p.Spec.Template.Metadata) + `}`
		}
	}
	fmt.Fprintf(w, `{"kind":"Deployment","metadata":{"name":"edge","uid":"u1"},"spec":{%s"replicas":%d,"selector":{"matchLabels":{"app":"edge"}},"template":%s}}`, f.more, f.replicas, f.template)
}

func fake(t *testing.T, replicas int) (*fakeServer, Config) {
	t.Helper()
	f := &fakeServer{t: t, replicas: replicas, template: `{"metadata":{"labels":{"app":"edge"}}}`}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sa-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, Config{API: API{URL: srv.URL, TokenFile: token}, Namespace: "shop", Deployment: "edge"}
}

func TestAScaleIsDoneOnceAndTakenBack(t *testing.T) {
	f, cfg := fake(t, 3)
	scale := NewScale(cfg, 2, nil, nil)
	o := action.Order{MaxReplicas: 10}
	p, err := scale.Plan(t.Context(), o)
	if err != nil || p.Text != "scale Deployment shop/edge from 3 to 6 replicas" || p.Touched != 3 || p.Total != 3 || p.Replicas != 6 || len(f.patches) != 0 {
		t.Fatalf("%+v, %v, %v", p, err, f.patches)
	}
	if world, err := scale.Look(t.Context(), o, p); world != action.Before || err != nil {
		t.Error(world, err)
	}
	if said, err := scale.Do(t.Context(), o, p); err != nil || f.replicas != 6 {
		t.Error(said, err, f.replicas)
	}
	if world, _ := scale.Look(t.Context(), o, p); world != action.After {
		t.Error(world)
	}
	if _, err := scale.Do(t.Context(), o, p); err == nil || len(f.patches) != 1 {
		t.Error("the same plan was carried out twice")
	}
	if _, err := scale.Undo(t.Context(), o, p); err != nil || f.replicas != 3 {
		t.Error(err, f.replicas)
	}
	f.replicas = 5
	if world, _ := scale.Look(t.Context(), o, p); world != action.Unknown {
		t.Error("somebody else scaled, and that is taken for", world)
	}
	if _, err := scale.Undo(t.Context(), o, p); err == nil || f.replicas != 5 {
		t.Error("what somebody else did was taken back")
	}
}

func TestAScaleStaysWithinItsBounds(t *testing.T) {
	bound := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		from int
		o    action.Order
		want int
	}{
		{3, action.Order{MaxReplicas: 24}, 6},
		{3, action.Order{MaxReplicas: 5}, 5},
		{3, action.Order{MaxReplicas: 24, Bound: bound(4.9)}, 4},
		{3, action.Order{MaxReplicas: 24, Bound: bound(0)}, 0},
		{3, action.Order{MaxReplicas: 24, Bound: bound(-2)}, 0},
		{1, action.Order{MinReplicas: 4, MaxReplicas: 24}, 4},
	} {
		if got := Next(c.from, 2, c.o); got != c.want {
			t.Errorf("%d with %+v: %d, want %d", c.from, c.o, got, c.want)
		}
	}
	for _, from := range []int{0, 10, 12} {
		_, cfg := fake(t, from)
		if _, err := NewScale(cfg, 2, nil, nil).Plan(t.Context(), action.Order{MaxReplicas: 10}); !errors.Is(err, action.ErrDecline) {
			t.Errorf("from %d: %v", from, err)
		}
	}
}

func TestARestartIsSeenInTheTemplate(t *testing.T) {
	f, cfg := fake(t, 8)
	restart := NewRestart(cfg, nil, nil)
	o := action.Order{At: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	p, err := restart.Plan(t.Context(), o)
	if err != nil || p.Touched != 2 || p.Total != 8 || p.Undo != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := restart.Do(t.Context(), o, p); err != nil {
		t.Fatal(err)
	}
	want := `application/strategic-merge-patch+json {"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-03-02T10:00:00Z"}}}}}`
	if len(f.patches) != 1 || f.patches[0] != want {
		t.Error(f.patches)
	}
	if world, _ := restart.Look(t.Context(), o, p); world != action.After {
		t.Error(world)
	}
	f.template = `{"metadata":{"labels":{"app":"edge","v":"2"}}}`
	if world, _ := restart.Look(t.Context(), o, p); world != action.Unknown {
		t.Error("another rollout is taken for", world)
	}
	f.more = `"paused":true,`
	if _, err := restart.Plan(t.Context(), o); !errors.Is(err, action.ErrDecline) {
		t.Error("paused:", err)
	}
	f.more = `"strategy":{"type":"Recreate"},`
	if p, _ := restart.Plan(t.Context(), o); p.Touched != 8 {
		t.Error("all are missing at once, and the plan says", p.Touched)
	}
}

func TestARollbackIsPlannedDoneAndSeen(t *testing.T) {
	c := &cluster{objects: objects(deploymentObject("2.4.1", ""), sets(set("7", "2.4.1", "u1"), set("6", "2.4.0", "u1")))}
	cfg := Config{API: serve(t, c), Namespace: "shop", Deployment: "edge"}
	back := NewRollback(cfg, nil, nil)
	p, err := back.Plan(t.Context(), action.Order{})
	if err != nil || p.Text != "roll Deployment shop/edge back from revision 7 to 6" || len(c.patches) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := back.Do(t.Context(), action.Order{}, p); err != nil || len(c.patches) != 1 {
		t.Fatal(err, c.patches)
	}
	if !strings.Contains(c.patches[0], `[{"op":"test","path":"/metadata/annotations/deployment.kubernetes.io~1revision","value":"7"},{"op":"replace","path":"/spec/template"`) {
		t.Error(c.patches[0])
	}
	c.objects[deploymentPath] = deploymentObject("2.4.0", "")
	if world, err := back.Look(t.Context(), action.Order{}, p); world != action.After || err != nil {
		t.Error(world, err)
	}
	c.objects[deploymentPath] = deploymentObject("2.5.0", "")
	if world, _ := back.Look(t.Context(), action.Order{}, p); world != action.Unknown {
		t.Error(world)
	}
}
