package outcall

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOnlyWhatIsBelowTheBaseIsCalled(t *testing.T) {
	base := parse(t, "https://api.example.org/v3")
	for target, ok := range map[string]bool{
		"https://api.example.org/v3/repos/a/b":      true,
		"https://API.example.org:443/v3/x":          true,
		"http://api.example.org/v3/x":               false,
		"https://api.example.org:8443/v3/x":         false,
		"https://api.example.org.evil.test/v3/x":    false,
		"https://api.example.org@evil.test/v3/x":    false,
		"https://user@api.example.org/v3/x":         false,
		"https://api.example.org/v3x/y":             false,
		"https://api.example.org/v3/../admin":       false,
		"https://api.example.org/v3/%2e%2e/admin":   false,
		"https://api.example.org/v3/a%2f..%2fb":     false,
		"https://api.example.org/v3/x#y":            false,
		"//api.example.org/v3/x":                    false,
		"/v3/x":                                     false,
		"https:api.example.org/v3/x":                false,
		"https://169.254.169.254/v3/latest/meta":    false,
		"https://[::1]/v3/x":                        false,
		"gopher://api.example.org/v3/x":             false,
		"https://api.example.org/v3/\x7f":           false,
		"https://api.example.org\\@evil.test/v3/xx": false,
	} {
		if _, err := Below(base, target); (err == nil) != ok {
			t.Errorf("%s: %v", target, err)
		}
	}
	c := Client{Base: base, Attempts: 1}
	if _, err := c.Do(t.Context(), Request{Method: "GET", URL: parse(t, "https://evil.test/")}); err == nil || !strings.Contains(err.Error(), "not on api.example.org") {
		t.Error(err)
	}
}

// roundTrip answers without a network, so that time can be the test's.
type roundTrip func(*http.Request) (int, http.Header, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header, err := f(r)
	if err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	for k, v := range header {
		rec.Header()[k] = v
	}
	rec.WriteHeader(status)
	rec.WriteString("because <of> this")
	return rec.Result(), nil
}

func TestAttemptsAreBoundedAndPausesDouble(t *testing.T) {
	for _, c := range []struct {
		name       string
		idempotent bool
		answers    []int // 0 is a broken connection
		header     http.Header
		attempts   int
		took       time.Duration
		fails      bool
	}{
		{"the first answer counts", true, []int{200}, nil, 1, 0, false},
		{"a failing server is asked again", true, []int{500, 502, 204}, nil, 3, 3 * time.Second, false},
		{"but not for ever", true, []int{500, 500, 500, 500, 500}, nil, 4, 7 * time.Second, true},
		{"a broken connection too", true, []int{0, 200}, nil, 2, time.Second, false},
		{"a refusal is final", true, []int{403, 200}, nil, 1, 0, true},
		{"a redirect is not followed", true, []int{302, 200}, http.Header{"Location": {"https://evil.test/"}}, 1, 0, true},
		{"it waits as long as it is told", true, []int{429, 200}, http.Header{"Retry-After": {"20"}}, 2, 20 * time.Second, false},
		{"but a minute at most", true, []int{503, 200}, http.Header{"Retry-After": {"3600"}}, 2, time.Minute, false},
		{"what may have been done is not done again", false, []int{0, 200}, nil, 1, 0, true},
		{"nor after an error inside", false, []int{500, 200}, nil, 1, 0, true},
		{"but when it was turned away", false, []int{429, 200}, nil, 2, time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				client := Client{
					Base: parse(t, "https://api.example.org"), Attempts: 4, Timeout: time.Minute, Backoff: time.Second,
					Transport: roundTrip(func(*http.Request) (int, http.Header, error) {
						n++
						if c.answers[n-1] == 0 {
							return 0, nil, errors.New("connection reset")
						}
						return c.answers[n-1], c.header, nil
					}),
				}
				began := time.Now()
				resp, err := client.Do(t.Context(), Request{Method: "POST", URL: parse(t, "https://api.example.org/x?token=1"), Idempotent: c.idempotent})
				if (err != nil) != c.fails || n != c.attempts || resp.Attempts != c.attempts || time.Since(began) != c.took {
					t.Errorf("%d attempts in %s: %+v, %v", n, time.Since(began), resp, err)
				}
				var status *StatusError
				if errors.As(err, &status) && !strings.Contains(err.Error(), "because <of> this") {
					t.Errorf("the answer is not shown: %v", err)
				}
			})
		})
	}
}
