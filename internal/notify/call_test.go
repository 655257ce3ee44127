package notify

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnswersAreJudgedByTheirStatus(t *testing.T) {
	for _, c := range []struct {
		status  int
		after   string
		refused bool
		wait    time.Duration
	}{
		{status: 200},
		{status: 202},
		{status: 204},
		{status: 302, refused: true},
		{status: 400, refused: true},
		{status: 401, refused: true},
		{status: 404, refused: true},
		{status: 410, refused: true},
		{status: 408},
		{status: 425},
		{status: 429},
		{status: 500},
		{status: 503},
		{status: 429, after: "7", wait: 7 * time.Second},
		{status: 429, after: "0.5", wait: 500 * time.Millisecond},
		{status: 503, after: "1e9", wait: time.Hour},
		{status: 429, after: "-3"},
		{status: 429, after: "soon"},
		{status: 400, after: "7", refused: true},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			w.Write([]byte(strings.Repeat("why ", 500)))
		}))
		r, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL, strings.NewReader("{}"))
		a, err := Ask(s.Client(), r)
		if err != nil {
			t.Fatal(err)
		}
		err = a.Err()
		if (err == nil) != (c.status/100 == 2) || IsRefused(err) != c.refused || RetryAfter(err) != c.wait {
			t.Errorf("%d %q: %v, refused %v, wait %s", c.status, c.after, err, IsRefused(err), RetryAfter(err))
		}
		if err != nil && (!strings.Contains(err.Error(), "why why") || len(err.Error()) > 300) {
			t.Errorf("%d: %v", c.status, err)
		}
		s.Close()
	}
}

func TestAnErrorDoesNotNameTheAddress(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/bot123:hunter2/send?sig=hunter2", nil)
	if _, err := Ask(http.DefaultClient, r); err == nil || strings.Contains(err.Error(), "hunter2") || IsRefused(err) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ask(http.DefaultClient, r.WithContext(ctx)); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
