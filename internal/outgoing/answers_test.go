package outgoing

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	promconfig "github.com/prometheus/common/config"
)

// Whoever answers us, by whichever client, is read up to the limit and no further, also where it says no length, unpacks to more or comes
// after others on one connection.
func TestAnswersAreReadUpToALimit(t *testing.T) {
	const most = 1 << 20
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		out := io.Writer(w)
		switch r.URL.Path {
		case "/told":
			w.Header().Set("Content-Length", strconv.Itoa(n))
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			out = z
		}
		for line := strings.Repeat("x", 1<<10); n > 0; n -= len(line) {
			if _, err := io.WriteString(out, line[:min(n, len(line))]); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	g := New(Config{MaxAnswerBytes: most})
	own, err := g.Client(nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	configured, err := g.Client(&promconfig.HTTPClientConfig{}, "x")
	if err != nil {
		t.Fatal(err)
	}
	library, err := promconfig.NewClientFromConfig(promconfig.HTTPClientConfig{}, "x", g.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	get := func(c *http.Client, path string, n int) (int, error) {
		resp, err := c.Get(fmt.Sprintf("%s%s?n=%d", srv.URL, path, n))
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return len(text), err
	}
	for name, c := range map[string]*http.Client{"own": own, "configured": configured, "of a library": library} {
		for _, path := range []string{"/", "/told", "/packed"} {
			for range 4 { // on one connection
				if n, err := get(c, path, most-4<<10); err != nil || n == 0 {
					t.Errorf("%s, %s: %d, %v", name, path, n, err)
				}
			}
			var large *TooLargeError
			if n, err := get(c, path, 2*most); (path != "/packed" || c == own) && (!errors.As(err, &large) || n > most || !strings.Contains(err.Error(), "outgoing.max_answer_bytes")) {
				t.Errorf("%s, %s: %d bytes, %v", name, path, n, err)
			}
		}
		c.CloseIdleConnections()
	}
	if resp, err := own.Head(srv.URL + "/told?n=" + strconv.Itoa(2*most)); err != nil || resp.Body.Close() != nil {
		t.Errorf("what has no body: %v", err)
	}
	own.CloseIdleConnections()
	whole, _ := New(Config{MaxAnswerBytes: Unbounded}).Client(nil, "x")
	if n, err := get(whole, "/", 2*most); err != nil || n != 2*most {
		t.Errorf("without a limit: %d, %v", n, err)
	}
	whole.CloseIdleConnections()
}
