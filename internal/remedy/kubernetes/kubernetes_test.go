package kubernetes

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is an API server, strictly as documented: bearer token, JSON, known
// paths, and a patch of the documented kind.
type cluster struct {
	t       *testing.T
	mu      sync.Mutex
	objects map[string]string // path and query → answer
	patches []string          // path, content type and body
	status  map[string]int    // of patches, by path
	asked   []string          // permissions
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer sa-token" || r.Header.Get("Accept") != "application/json" {
		c.t.Errorf("headers %v", r.Header)
	}
	c.asked = append(c.asked, permission(c.t, r.Method, r.URL.Path))
	body, _ := io.ReadAll(r.Body)
	if r.Method == http.MethodPatch {
		c.patches = append(c.patches, r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		if s := c.status[r.URL.Path]; s != 0 {
			w.WriteHeader(s)
		}
		_, _ = io.WriteString(w, "{}")
		return
	}
	query := r.URL.Query()
	query.Del("timeout") // how long the server may take
	r.URL.RawQuery = query.Encode()
	answer, ok := c.objects[r.URL.RequestURI()]
	if r.Method != http.MethodGet || !ok {
		c.t.Errorf("unexpected %s %s", r.Method, r.URL.RequestURI())
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, answer)
}

func serve(t *testing.T, c *cluster) API {
	t.Helper()
	c.t = t
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sa-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	return API{URL: srv.URL, TokenFile: token}
}

const (
	deploymentPath = "/apis/apps/v1/namespaces/shop/deployments/edge"
	setsPath       = "/apis/apps/v1/namespaces/shop/replicasets?labelSelector=app%3Dedge%2C%21canary%2Ctier+in+%28api%2Cweb%29"
)

func template(version, hash string) string {
	if hash != "" {
		hash = `"pod-template-hash":"` + hash + `",`
	}
	// An unknown field and a large number: both must pass through unchanged.
	return `{"metadata":{"creationTimestamp":null,"labels":{` + hash + `"app":"edge","app.kubernetes.io/version":"` + version + `"}},
		"spec":{"containers":[{"name":"edge","image":"edge:` + version + `","futureField":{"n":12345678901234567890}}]}}`
}

func deploymentObject(version, more string) string {
	return `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"edge","uid":"u1","annotations":{
		"deployment.kubernetes.io/revision":"7","kubectl.kubernetes.io/last-applied-configuration":"{}","kubernetes.io/change-cause":"release 2.4.1"}},
		"spec":{` + more + `"replicas":3,"selector":{"matchLabels":{"app":"edge"},"matchExpressions":[{"key":"tier","operator":"In","values":["web","api"]},{"key":"canary","operator":"DoesNotExist"}]},
		"template":` + template(version, "") + `}}`
}

func set(revision, version, owner string) string {
	return `{"metadata":{"name":"edge-` + version + `","annotations":{"deployment.kubernetes.io/revision":"` + revision + `","deployment.kubernetes.io/desired-replicas":"3",
		"kubernetes.io/change-cause":"release ` + version + `"},"ownerReferences":[{"kind":"Deployment","uid":"` + owner + `","controller":true}]},"spec":{"template":` + template(version, "h"+revision) + `}}`
}

func sets(items ...string) string {
	return `{"kind":"ReplicaSetList","items":[` + strings.Join(items, ",") + `]}`
}

func objects(deployment, list string) map[string]string {
	return map[string]string{deploymentPath: deployment, setsPath: list}
}

func canonical(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// What kubectl rollout undo sends: a JSON patch with the template of the
// second newest revision without its hash, and that revision's annotations but those that stay.
func TestUndoSendsWhatKubectlSends(t *testing.T) {
	c := &cluster{objects: objects(deploymentObject("2.4.1", ""), sets(set("5", "2.3.9", "u1"), set("9", "9.9.9", "another"), set("7", "2.4.1", "u1"), set("6", "2.4.0", "u1")))}
	undo := NewUndo(Config{API: serve(t, c), Namespace: "shop", Deployment: "edge"}, nil, nil)
	order := rollback.Order{Version: "2.4.1", Previous: "2.4.0", DryRun: true}
	text, err := undo.Rollback(t.Context(), order)
	if err != nil || text != "would roll Deployment shop/edge back from revision 7 to 6" || len(c.patches) != 0 {
		t.Fatalf("dry run: %q, %v, %v", text, err, c.patches)
	}
	order.DryRun = false
	text, err = undo.Rollback(t.Context(), order)
	if err != nil || text != "rolled Deployment shop/edge back from revision 7 to 6" || len(c.patches) != 1 {
		t.Fatalf("%q, %v, %v", text, err, c.patches)
	}
	body, ok := strings.CutPrefix(c.patches[0], deploymentPath+" application/json-patch+json ")
	if !ok {
		t.Fatal(c.patches[0])
	}
	want := `[{"op":"replace","path":"/spec/template","value":` + template("2.4.0", "") + `},
		{"op":"replace","path":"/metadata/annotations","value":{"deployment.kubernetes.io/revision":"7","kubectl.kubernetes.io/last-applied-configuration":"{}","kubernetes.io/change-cause":"release 2.4.0"}}]`
	if d := cmp.Diff(canonical(t, want), canonical(t, body)); d != "" {
		t.Error(d)
	}
}

func TestUndoRefusesWhatWouldDoHarm(t *testing.T) {
	both := sets(set("7", "2.4.1", "u1"), set("6", "2.4.0", "u1"))
	for name, c := range map[string]struct{ deployment, sets, want string }{
		"someone rolled back already": {deploymentObject("2.4.0", ""), both, "runs 2.4.0 and not 2.4.1: someone has acted already"},
		"it is paused":                {deploymentObject("2.4.1", `"paused":true,`), both, "is paused"},
		"there is no history":         {deploymentObject("2.4.1", ""), sets(set("7", "2.4.1", "u1"), set("6", "2.4.0", "another")), "no revision before"},
		"nothing would change":        {deploymentObject("2.4.1", ""), sets(set("7", "2.4.1", "u1"), set("6", "2.4.1", "u1")), "already that of revision 6"},
		"the answer is no object":     {`[]`, both, "not what the API server documents"},
		"no JSON at all":              {`<html>`, both, "not what the API server documents"},
		"labels of another type":      {strings.Replace(deploymentObject("2.4.1", ""), `"labels":{`, `"labels":5,"x":{`, 1), sets(), "no revision before"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := &cluster{objects: objects(c.deployment, c.sets)}
			undo := NewUndo(Config{API: serve(t, cl), Namespace: "shop", Deployment: "edge"}, nil, nil)
			if _, err := undo.Rollback(t.Context(), rollback.Order{Version: "2.4.1"}); err == nil || !strings.Contains(err.Error(), c.want) || len(cl.patches) != 0 {
				t.Errorf("%v, %v", err, cl.patches)
			}
		})
	}
	cl := &cluster{objects: objects(deploymentObject("2.4.1", ""), both), status: map[string]int{deploymentPath: 403}}
	undo := NewUndo(Config{API: serve(t, cl), Namespace: "shop", Deployment: "edge"}, nil, nil)
	if _, err := undo.Rollback(t.Context(), rollback.Order{}); err == nil || !strings.Contains(err.Error(), "status 403") || len(cl.patches) != 1 {
		t.Errorf("forbidden: %v, %v", err, cl.patches)
	}
	odd := &cluster{objects: objects(strings.Replace(deploymentObject("2.4.1", ""), `"In"`, `"Near"`, 1), both)}
	undo = NewUndo(Config{API: serve(t, odd), Namespace: "shop", Deployment: "edge"}, nil, nil)
	if _, err := undo.Rollback(t.Context(), rollback.Order{}); err == nil || !strings.Contains(err.Error(), "Near") || len(odd.asked) != 1 {
		t.Errorf("a selector that is not understood: %v, %v", err, odd.asked)
	}
}

const rolloutPath = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/edge"

func rollout(version, current, stable, more string) string {
	return `{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","spec":{"template":` + template(version, "") + `},"status":{` + more + `"currentPodHash":"` + current + `","stableRS":"` + stable + `"}}`
}

func TestAbortSendsWhatThePluginSends(t *testing.T) {
	c := &cluster{objects: map[string]string{rolloutPath: rollout("2.4.1", "b", "a", "")}}
	abort := NewAbort(RolloutConfig{API: serve(t, c), Namespace: "shop", Rollout: "edge"}, nil, nil)
	if text, err := abort.Rollback(t.Context(), rollback.Order{Version: "2.4.1", DryRun: true}); err != nil || text != "would abort Rollout shop/edge" || len(c.patches) != 0 {
		t.Fatalf("%q, %v", text, err)
	}
	text, err := abort.Rollback(t.Context(), rollback.Order{Version: "2.4.1"})
	if d := cmp.Diff([]string{rolloutPath + `/status application/merge-patch+json {"status":{"abort":true}}`}, c.patches); err != nil || text != "aborted Rollout shop/edge" || d != "" {
		t.Errorf("%q, %v, %s", text, err, d)
	}
	c.status = map[string]int{rolloutPath + "/status": 404} // installed without the subresource
	if _, err := abort.Rollback(t.Context(), rollback.Order{}); err != nil || c.patches[len(c.patches)-1] != rolloutPath+` application/merge-patch+json {"status":{"abort":true}}` {
		t.Errorf("%v, %v", err, c.patches)
	}
	for want, object := range map[string]string{
		"is aborted already":        rollout("2.4.1", "b", "a", `"abort":true,`),
		"there is nothing to abort": rollout("2.4.1", "b", "b", ""),
		"runs 2.4.2 and not 2.4.1":  rollout("2.4.2", "c", "a", ""),
	} {
		c.objects[rolloutPath] = object
		n := len(c.patches)
		if _, err := abort.Rollback(t.Context(), rollback.Order{Version: "2.4.1"}); err == nil || !strings.Contains(err.Error(), want) || len(c.patches) != n {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestFilesThatAreMissingAreNamed(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	_ = os.WriteFile(token, []byte("x"), 0o600)
	for want, api := range map[string]API{
		"no-token":          {URL: "https://k8s.test", TokenFile: filepath.Join(dir, "no-token")},
		"no-ca":             {URL: "https://k8s.test", TokenFile: token, CAFile: filepath.Join(dir, "no-ca")},
		"root certificates": {URL: "https://k8s.test", TokenFile: token, CAFile: token},
	} {
		if _, err := NewUndo(Config{API: api}, nil, nil).Rollback(t.Context(), rollback.Order{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// A server that cannot answer now is asked again; one that refuses is not.
func TestAServerThatIsBusyIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		call := func(errs ...error) func() error {
			asked = 0
			return func() error {
				asked++
				return errs[min(asked, len(errs))-1]
			}
		}
		busy, refused := apierrors.NewServiceUnavailable("starting"), apierrors.NewUnauthorized("no")
		if err := again(t.Context(), call(busy, busy, nil)); err != nil || asked != 3 {
			t.Errorf("%v after %d calls", err, asked)
		}
		if err := again(t.Context(), call(busy)); !apierrors.IsServiceUnavailable(err) || asked != attempts {
			t.Errorf("%v after %d calls", err, asked)
		}
		if err := again(t.Context(), call(refused)); !apierrors.IsUnauthorized(err) || asked != 1 {
			t.Errorf("%v after %d calls", err, asked)
		}
	})
}

func FuzzObjects(f *testing.F) {
	f.Add(deploymentObject("1", ""), sets(set("2", "2", "u1"), set("1", "1", "u1")))
	f.Add(`{"metadata":{"uid":"u1"},"spec":{"template":null}}`, sets(set("2", "2", "u1"), set("1", "1", "u1")))
	f.Fuzz(func(t *testing.T, deployment, list string) {
		var d object
		var l struct {
			Items []object `json:"items"`
		}
		if json.Unmarshal([]byte(deployment), &d) != nil || json.Unmarshal([]byte(list), &l) != nil {
			return
		}
		u := NewUndo(Config{Namespace: "n", Deployment: "d"}, nil, nil)
		if previous, _, err := u.previous(d, l.Items, rollback.Order{}); err == nil {
			if _, err := patchOf(d, previous); err != nil {
				t.Error(err)
			}
		}
	})
}
