package front

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestAnEndpointIsShutUntilItDeclaresWhatItNeeds(t *testing.T) {
	routes := NewRoutes(
		Route{Pattern: "GET /x/{id}", Permission: access.LogsRead},
		Route{Pattern: "POST /x/{id}", Permission: access.LogsRead},
		Route{Pattern: "DELETE /x/{id}", Permission: access.AuthManage},
		Route{Pattern: "GET /open", Permission: access.Open},
	)
	var asked []access.Permission
	hooks := Hooks{
		Authorize: func(id access.Identity, tenant string, p access.Permission) (access.Access, *Refusal) {
			asked = append(asked, p)
			return access.Access{Identity: id}, nil
		},
	}
	f, err := New(DefaultConfig(), Deps{Hooks: hooks, Registerer: prometheus.NewPedanticRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Port("test")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if access.From(r.Context()) == nil {
			t.Errorf("%s %s: no access in the context", r.Method, r.URL)
		}
		fmt.Fprint(w, "answered")
	})
	p.Mount("/", Mount{Handler: handler, Needs: routes})
	p.Mount("/forgotten/", Mount{Handler: handler})
	for _, c := range []struct {
		request string
		status  int
		needs   access.Permission // asked of Authorize
		allow   string
	}{
		{"GET /x/1", 200, access.LogsRead, ""},
		{"HEAD /x/1", 200, access.LogsRead, ""},
		{"POST /x/1", 200, access.LogsRead, ""},
		{"DELETE /x/1", 200, access.AuthManage, ""},
		{"PUT /x/1", 405, "", "DELETE, GET, POST"},
		{"OPTIONS /x/1", 200, "", ""},
		{"GET /open", 200, "", ""},
		{"POST /open", 405, "", "GET"},
		{"GET /x", 404, "", ""},
		{"OPTIONS /nothing", 404, "", ""},
		{"GET /x/1/2", 404, "", ""},
		{"GET /forgotten/a", 404, "", ""},
	} {
		asked = nil
		method, path, _ := strings.Cut(c.request, " ")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		var needs access.Permission
		if len(asked) > 0 {
			needs = asked[0]
		}
		if w.Code != c.status || needs != c.needs || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s: %d, needs %q, allow %q", c.request, w.Code, needs, w.Header().Get("Allow"))
		}
		if w.Code != 200 && strings.Contains(w.Body.String(), "answered") {
			t.Errorf("%s reached its handler", c.request)
		}
	}
}

func TestEnterAsksTheSameHooks(t *testing.T) {
	var ended []Ended
	refuse := false
	hooks := Hooks{
		Identify: func(*http.Request) (access.Identity, *Refusal) {
			if refuse {
				return access.Identity{}, &Refusal{Status: 401, Reason: "identity", Message: "who?"}
			}
			return access.Identity{Subject: "token:1"}, nil
		},
		Audit: func(e Ended) { ended = append(ended, e) },
	}
	f, err := New(DefaultConfig(), Deps{Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/service/Export", nil)
	ctx, done, refusal := f.Enter(r, access.TelemetryWrite, MountInfo{Port: "grpc"})
	if refusal != nil || access.From(ctx).Subject != "token:1" || access.From(ctx).Tenant != "default" {
		t.Fatalf("%v %+v", refusal, access.From(ctx))
	}
	done(200)
	refuse = true
	if _, _, refusal = f.Enter(r, access.TelemetryWrite, MountInfo{Port: "grpc"}); refusal == nil || refusal.Status != 401 {
		t.Fatalf("%+v", refusal)
	}
	if len(ended) != 2 || ended[0].Status != 200 || ended[1].Status != 401 || ended[1].Refusal == nil {
		t.Errorf("%+v", ended)
	}
}

func TestEveryAnswerTellsBrowsersToBeCareful(t *testing.T) {
	f, err := New(DefaultConfig(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Port("test")
	p.Mount("/a", Mount{Needs: Always(access.Open), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	for _, path := range []string{"/a", "/nothing"} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "https://x.example"+path, nil))
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %q", path, csp)
		}
	}
}
