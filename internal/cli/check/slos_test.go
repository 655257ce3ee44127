package check_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestCheckSLOsNamesMetricsThatAServerHasNeverSeen(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/label/__name__/values" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_, _ = w.Write([]byte(`{"status":"success","data":["all_total","up"]}`))
	}))
	defer server.Close()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.yaml", []byte(goodSLO), 0o600); err != nil {
		t.Fatal(err)
	}
	status, good, found := run(t, "check", "slos", "a.yaml", "--server", server.URL)
	if status != 0 || !strings.Contains(good, "are good") || !strings.Contains(found, "warning: a.yaml:") || !strings.Contains(found, "nothing has ever been stored under the name ok_total") || strings.Contains(found, "all_total") {
		t.Errorf("exit %d, %q, %q", status, good, found)
	}
	if status, _, found = run(t, "check", "slos", "a.yaml"); status != 0 || found != "" {
		t.Errorf("without a server: exit %d, %q", status, found)
	}
}
