package argocd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/remedy/action"
)

// The calls are those of Argo CD's documented API: ApplicationService_Rollback and ApplicationService_Sync.
func TestTheDocumentedCallIsMadeOnce(t *testing.T) {
	answer := `{"spec":{},"status":{"history":[{"id":4,"revision":"aaa"},{"id":5,"revision":"bbb"}],"operationState":{"phase":"Succeeded","startedAt":"2026-03-02T09:00:00Z"}}}`
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			got = append(got, r.URL.Path+" "+string(body))
			answer = strings.Replace(answer, "09:00:00Z", "10:00:00Z", 1)
		}
		fmt.Fprint(w, answer)
	}))
	defer srv.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t0ken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Config{URL: srv.URL, Application: "shop", Operation: "rollback", TokenFile: token}
	back := New(cfg, http.DefaultTransport)
	defer http.DefaultClient.CloseIdleConnections()
	p, err := back.Plan(t.Context(), action.Order{})
	if err != nil || p.Text != "roll application shop of Argo CD back to aaa (history 4)" || len(got) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := back.Do(t.Context(), action.Order{}, p); err != nil || len(got) != 1 || got[0] != `/api/v1/applications/shop/rollback {"id":4,"prune":false}` {
		t.Fatal(err, got)
	}
	if _, err := back.Do(t.Context(), action.Order{}, p); err == nil || len(got) != 1 {
		t.Error("the same plan was carried out twice")
	}
	if world, _ := back.Look(t.Context(), action.Order{}, p); world != action.Unknown {
		t.Error(world)
	}
	cfg.Operation = "sync"
	if p, err := New(cfg, http.DefaultTransport).Plan(t.Context(), action.Order{}); err != nil || p.Calls[0] != `POST /api/v1/applications/shop/sync {"prune":false}` {
		t.Error(p, err)
	}
	for old, now := range map[string]string{`"Succeeded"`: `"Running"`, `"spec":{}`: `"spec":{"syncPolicy":{"automated":{}}}`, `{"id":4,"revision":"aaa"},`: ""} {
		whole := answer
		answer = strings.Replace(answer, old, now, 1)
		if _, err := back.Plan(t.Context(), action.Order{}); !errors.Is(err, action.ErrDecline) {
			t.Errorf("%s: %v", now, err)
		}
		answer = whole
	}
}
