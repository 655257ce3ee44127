package front

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

// noting is open, and notes the path that was asked about.
type noting struct{ asked *string }

func (n noting) Needs(r *http.Request) access.Permission {
	*n.asked = r.URL.EscapedPath()
	return access.Open
}

func (noting) Methods(*http.Request) []string { return nil }

// An endpoint is reached, and its permission asked, at its own path and below the path of the external URL.
func TestThePathOfTheExternalURLIsTakenOff(t *testing.T) {
	for _, c := range []struct{ external, path, want string }{
		{"https://a/foo", "/foo/api/v2/status", "/api/v2/: /api/v2/status"},
		{"https://a/foo/", "/foo/api/v2/status?x=1", "/api/v2/: /api/v2/status"},
		{"https://a/foo", "/api/v2/status", "/api/v2/: /api/v2/status"},
		{"https://a/foo/bar", "/foo/bar/api/v2/status", "/api/v2/: /api/v2/status"},
		{"https://a/foo", "/foo", "/: /"},
		{"https://a/foo", "/foo/", "/: /"},
		{"https://a/foo", "/foobar/api/v2/status", "/: /foobar/api/v2/status"},
		{"https://a/foo", "/foo/foo/api/v2/status", "/: /foo/api/v2/status"}, // once
		{"https://a/api", "/api/v2/status", "/api/v2/: /api/v2/status"},
		{"https://a/api", "/api/api/v2/status", "/api/v2/: /api/v2/status"},
		{"https://a/foo", "/foo/api/v2/a%2Fb", "/api/v2/: /api/v2/a%2Fb"},
		{"https://a/foo", "/foo/api/v2/a%20b", "/api/v2/: /api/v2/a%20b"},
		{"https://a", "/foo/api/v2/status", "/: /foo/api/v2/status"},
	} {
		external, err := url.Parse(c.external)
		if err != nil {
			t.Fatal(err)
		}
		asked := ""
		f, err := New(DefaultConfig(), Deps{ExternalURL: external})
		if err != nil {
			t.Fatal(err)
		}
		port := f.Port("web")
		for _, pattern := range []string{"/", "/api/v2/"} {
			port.Mount(pattern, Mount{
				Needs: noting{&asked},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprintf(w, "%s: %s", pattern, r.URL.EscapedPath())
				}),
			})
		}
		w := httptest.NewRecorder()
		port.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+c.path, http.NoBody))
		if got := w.Body.String(); got != c.want || !strings.HasSuffix(c.want, " "+asked) {
			t.Errorf("%s below %s: %q, permission asked for %q, want %q", c.path, c.external, got, asked, c.want)
		}
	}
}
