package client_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

// What is kept for one server goes to no other: not by another address, not when the server sends on, not in the clear.
func TestALoginGoesToItsServerAlone(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	other := clitest.Serve(t, http.StatusOK, `{}`)
	mine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sbs_SECRET" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(mine.Close)
	for _, address := range []string{mine.URL, "http://signalbox.example.org"} {
		if err := with(t, "--server", address).Keep(client.Login{Subject: "user:ann", Token: "sbs_SECRET"}); err != nil {
			t.Fatal(err)
		}
	}
	var got any
	if err := with(t, "--server", strings.ToUpper(mine.URL[:4])+mine.URL[4:]+"/").Get(t.Context(), "/x", nil, &got); err != nil {
		t.Error(err)
	}
	if err := with(t, "--server", mine.URL).Get(t.Context(), "/away", nil, &got); err == nil || !strings.Contains(err.Error(), "another server") || len(other.Asked) != 0 {
		t.Errorf("sent on: %v %+v", err, other.Asked)
	}
	if err := with(t, "--server", other.URL).Get(t.Context(), "/x", nil, &got); err != nil || other.Asked[0].Header.Get("Authorization") != "" {
		t.Errorf("another: %v %+v", err, other.Asked)
	}
	for _, flags := range [][]string{{}, {"--token", "sbx_SECRET"}} {
		err := with(t, append(flags, "--server", "http://signalbox.example.org")...).Get(t.Context(), "/x", nil, &got)
		if err == nil || !strings.Contains(err.Error(), "--plain-http") || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v: %v", flags, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "signalbox", "logins", "*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := with(t, "--server", mine.URL).Get(t.Context(), "/x", nil, &got); err == nil || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("open to others: %v", err)
	}
}
