package front

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs one port with a mount at / until the test ends.
func serve(t *testing.T, change func(*Config), deps Deps, m Mount) (address string, f *Front) {
	t.Helper()
	return serveOver(t, nil, change, deps, m)
}

func serveOver(t *testing.T, over *tls.Config, change func(*Config), deps Deps, m Mount) (address string, f *Front) {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	deps.Registerer = prometheus.NewPedanticRegistry()
	f, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if m.Handler == nil {
		m.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %d %d %v", r.Method, len(body), r.ContentLength, err)
		})
	}
	p := f.Port("test")
	if m.Needs == nil {
		m.Needs = Always(access.Anybody)
	}
	p.Mount("/", m)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, ln, Serving{TLS: over, Drain: time.Second}) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String(), f
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

func answerOn(t *testing.T, c net.Conn) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

func ask(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text)
}

func TestASlowBodyIsEndedAndNeverReachesItsHandler(t *testing.T) {
	reached := make(chan struct{}, 10)
	address, _ := serve(t, func(c *Config) { c.BodyTimeout = model.Duration(50 * time.Millisecond) }, Deps{}, Mount{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }),
	})
	for _, head := range []string{"Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"} {
		c := dial(t, address)
		piece := "{"
		if strings.Contains(head, "chunked") {
			piece = "1\r\n{\r\n"
		}
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s", head, piece)
		status, text := answerOn(t, c)
		if status != http.StatusRequestTimeout || !strings.Contains(text, "web.body_timeout") {
			t.Errorf("%s: %d %s", head, status, text)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the connection must be closed, got %v", head, err)
		}
	}
	if len(reached) != 0 {
		t.Error("the handler was called with a body that had not arrived")
	}
}

func TestARefusedRequestDoesNotHoldItsConnectionWithAnUnreadBody(t *testing.T) {
	address, _ := serve(t, func(c *Config) { c.BodyTimeout = model.Duration(50 * time.Millisecond) }, Deps{}, Mount{})
	c := dial(t, address)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100000\r\n\r\n{")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("%v %v", resp, err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("the connection stays open")
	}
}

func TestManySlowBodiesLeaveTheHandlersLimitsToOthers(t *testing.T) {
	slots := make(chan struct{}, 1)
	address, f := serve(t, nil, Deps{}, Mount{MaxBody: 32 << 20, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})})
	const slow = 200
	for range slow {
		fmt.Fprint(dial(t, address), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n{")
	}
	for f.held.held() < slow*firstPiece { // until all are being received
		runtime.Gosched()
	}
	if held := f.held.held(); held != slow*firstPiece {
		t.Errorf("%d slow bodies hold %d bytes, want %d: what was announced must not count", slow, held, slow*firstPiece)
	}
	if resp, _ := ask(t, "POST", "http://"+address+"/", "x"); resp.StatusCode != http.StatusOK {
		t.Errorf("beside slow bodies: %s", resp.Status)
	}
}

func TestBodiesArriveWholeAndWithinTheirBounds(t *testing.T) {
	address, f := serve(t, func(c *Config) { c.MaxBodyBytesInFlight = 8 << 20 }, Deps{}, Mount{MaxBody: 5 << 20})
	post := func(address string, n int, chunked bool) (int, string) {
		var body io.Reader = strings.NewReader(strings.Repeat("x", n))
		if chunked {
			body = io.MultiReader(body)
		}
		resp, err := http.Post("http://"+address+"/", "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	for _, n := range []int{1, firstPiece - 1, firstPiece, firstPiece + 1, 100_000, 1 << 20} {
		for _, chunked := range []bool{false, true} {
			if status, text := post(address, n, chunked); status != 200 || text != fmt.Sprintf("POST %d %d <nil>", n, n) {
				t.Errorf("%d bytes, chunked %v: %d %s", n, chunked, status, text)
			}
		}
	}
	small, _ := serve(t, nil, Deps{}, Mount{MaxBody: 1000})
	for _, chunked := range []bool{false, true} {
		if status, text := post(small, 1001, chunked); status != http.StatusRequestEntityTooLarge || !strings.Contains(text, "more than 1000 bytes") {
			t.Errorf("too large, chunked %v: %d %s", chunked, status, text)
		}
	}
	if status, text := post(address, 5<<20, true); status != http.StatusTooManyRequests || !strings.Contains(text, "web.max_body_bytes_in_flight") {
		t.Errorf("beyond the bytes of all bodies: %d %s", status, text)
	}
	for f.held.held() != 0 {
		runtime.Gosched()
	}
	if resp, text := ask(t, "GET", "http://"+address+"/", ""); resp.StatusCode != 200 || text != "GET 0 0 <nil>" {
		t.Errorf("without a body: %s %s", resp.Status, text)
	}
}

func TestANameThatIsNotOursIsRefusedOnLoopback(t *testing.T) {
	external, _ := url.Parse("https://signalbox.example.org:8443/x")
	address, _ := serve(t, func(c *Config) { c.AllowedHosts = []string{"Proxy.internal"} }, Deps{ExternalURL: external}, Mount{})
	for host, want := range map[string]int{
		"localhost:4300": 200, "LOCALHOST": 200, "127.0.0.1:1": 200, "[::1]:4300": 200, "[::1]": 200, "ui.localhost": 200, "localhost.": 200,
		"signalbox.example.org": 200, "signalbox.example.org:8443": 200, "proxy.internal:80": 200,
		"evil.example": 403, "evil.example:4300": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "notlocalhost": 403,
	} {
		if resp, text := ask(t, "GET", "http://"+address+"/", "", "Host", host); resp.StatusCode != want {
			t.Errorf("Host %s: %s %s, want %d", host, resp.Status, text, want)
		}
	}
}

func TestAnyNameIsTakenFromTheNetwork(t *testing.T) {
	f, err := New(DefaultConfig(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Port("test")
	p.Mount("/", Mount{Handler: http.NotFoundHandler(), Needs: Always(access.Open)})
	r := httptest.NewRequest("GET", "http://signalbox.monitoring.svc:4300/", nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 4300})))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
}

func TestPagesOfOtherOriginsMayNeitherChangeNorAskForWhatIsSensitive(t *testing.T) {
	external, _ := url.Parse("https://signalbox.example.org")
	plain, _ := serve(t, nil, Deps{ExternalURL: external}, Mount{})
	sensitive, _ := serve(t, nil, Deps{ExternalURL: external}, Mount{Sensitive: true})
	shared, _ := serve(t, nil, Deps{}, Mount{CORS: NewCORS([]string{"https://app.example.org"}, "GET", "POST")})
	for _, c := range []struct {
		name, address, method string
		header                []string
		want                  int
	}{
		{"no browser", plain, "POST", nil, 200},
		{"the page itself", plain, "POST", []string{"Origin", "http://" + plain, "Sec-Fetch-Site", "same-origin"}, 200},
		{"the page itself in an old browser", plain, "POST", []string{"Origin", "http://" + plain}, 200},
		{"the external URL's page", plain, "POST", []string{"Origin", "https://signalbox.example.org", "Sec-Fetch-Site", "cross-site"}, 200},
		{"typed into the address bar", sensitive, "GET", []string{"Sec-Fetch-Site", "none"}, 200},
		{"another page posts", plain, "POST", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another page posts as text", plain, "POST", []string{"Origin", "http://evil.example", "Content-Type", "text/plain"}, 403},
		{"a sandboxed frame posts", plain, "POST", []string{"Origin", "null"}, 403},
		{"another port of this machine posts", plain, "POST", []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}, 403},
		{"another page deletes", plain, "DELETE", []string{"Origin", "http://evil.example"}, 403},
		{"another page loads an image", plain, "GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"another page loads what is sensitive", sensitive, "GET", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another page fetches what is sensitive", sensitive, "GET", []string{"Origin", "http://evil.example"}, 403},
		{"a permitted page", shared, "POST", []string{"Origin", "https://app.example.org", "Sec-Fetch-Site", "cross-site"}, 200},
		{"a page beside the permitted one", shared, "POST", []string{"Origin", "https://app.example.org.evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if resp, text := ask(t, c.method, "http://"+c.address+"/", "", c.header...); resp.StatusCode != c.want {
			t.Errorf("%s: %s %s, want %d", c.name, resp.Status, text, c.want)
		}
	}
}

func TestAPermittedPageReadsEveryAnswer(t *testing.T) {
	list := func(origins ...string) string {
		address, _ := serve(t, nil, Deps{}, Mount{MaxBody: 10, CORS: NewCORS(origins, "POST")})
		return "http://" + address + "/"
	}
	named, any := list("https://app.example.org", "https://*.shop.example"), list("*")
	for _, c := range []struct{ url, origin, allow, credentials string }{
		{named, "https://app.example.org", "https://app.example.org", "true"},
		{named, "https://eu.shop.example", "https://eu.shop.example", "true"},
		{named, "https://shop.example", "", ""},
		{named, "https://evil.example/.shop.example", "", ""},
		{named, "http://app.example.org", "", ""},
		{any, "http://whoever.example", "*", ""},
	} {
		pre, _ := ask(t, "OPTIONS", c.url, "", "Origin", c.origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-scope-orgid")
		got := []string{pre.Status, pre.Header.Get("Access-Control-Allow-Origin"), pre.Header.Get("Access-Control-Allow-Credentials")}
		if d := cmp.Diff([]string{"204 No Content", c.allow, c.credentials}, got); d != "" {
			t.Errorf("preflight from %s: %s", c.origin, d)
		}
		if c.allow != "" && (pre.Header.Get("Access-Control-Allow-Headers") != "content-type,x-scope-orgid" || pre.Header.Get("Access-Control-Allow-Methods") != "POST") {
			t.Errorf("preflight from %s: %v", c.origin, pre.Header)
		}
		for _, body := range []string{"ok", "longer than ten bytes"} {
			resp, _ := ask(t, "POST", c.url, body, "Origin", c.origin)
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != c.allow {
				t.Errorf("answer %s from %s allows %q, want %q", resp.Status, c.origin, got, c.allow)
			}
		}
	}
	// A handler that permits everybody is not told of an origin that nobody permitted.
	open, _ := serve(t, nil, Deps{}, Mount{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	})})
	if resp, _ := ask(t, "GET", "http://"+open+"/", "", "Origin", "http://evil.example"); resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a page that nobody permitted may read")
	}
}

func TestTheHooksSeeEveryRequest(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf(format, args...))
	}
	hooks := Hooks{
		Identify: func(r *http.Request) (access.Identity, *Refusal) {
			if r.Header.Get("Authorization") == "bad" {
				return access.Identity{}, &Refusal{
					Status: http.StatusUnauthorized, Reason: "identity", Message: "log in", Header: http.Header{"Www-Authenticate": {"Bearer"}},
				}
			}
			return access.Identity{Name: "ann"}, nil
		},
		Authorize: func(id access.Identity, tenant string, p access.Permission) (access.Access, *Refusal) {
			return access.Access{Identity: id, Tenant: id.Name + "'s " + tenant + string(p)}, nil
		},
		Admit: func(c *access.Access, m MountInfo) (func(), *Refusal) {
			note("admit %s %s %s%s", c.Name, c.Tenant, m.Port, m.Pattern)
			return func() { note("release") }, nil
		},
		Audit: func(e Ended) {
			note("audit %q %s %s %d %v %v", e.Access.Name, e.Request.Method, e.Request.URL.Path, e.Status, e.Refusal != nil, e.Access.Notes.All())
		},
	}
	address, _ := serve(t, nil, Deps{Hooks: hooks}, Mount{MaxBody: 3, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access.Note(r.Context(), access.NoteRows, access.From(r.Context()).Tenant)
	})})
	ask(t, "POST", "http://"+address+"/a", "abc", "X-Scope-OrgID", "blue")
	ask(t, "POST", "http://"+address+"/b", "abcd")
	if resp, _ := ask(t, "GET", "http://"+address+"/c", "", "Authorization", "bad"); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Error(resp.Status, resp.Header)
	}
	want := []string{
		"admit ann ann's blueanybody test/", "release", `audit "ann" POST /a 200 false map[rows:ann's blueanybody]`,
		"admit ann ann's anybody test/", "release", `audit "ann" POST /b 413 true map[]`,
		`audit "" GET /c 401 true map[]`,
	}
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff(want, seen); d != "" {
		t.Error(d)
	}
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	var log strings.Builder
	address, _ := serve(t, nil, Deps{Logger: slog.New(slog.NewJSONHandler(&log, nil))}, Mount{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }),
		Refuse: func(w http.ResponseWriter, _ *http.Request, ref Refusal) {
			w.WriteHeader(ref.Status)
			_ = json.NewEncoder(w).Encode(ref)
		},
	})
	resp, text := ask(t, "GET", "http://"+address+"/", "")
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "internal error") || strings.Contains(text, "boom") {
		t.Errorf("%s %s", resp.Status, text)
	}
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "front_test.go") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestIdleConnectionsGiveWayToNewOnes(t *testing.T) {
	address, _ := serve(t, func(c *Config) { c.MaxConnections = 3 }, Deps{}, Mount{})
	first := dial(t, address)
	fmt.Fprint(first, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if status, _ := answerOn(t, first); status != 200 {
		t.Fatal(status)
	}
	for range 5 {
		c := dial(t, address)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if status, _ := answerOn(t, c); status != 200 {
			t.Errorf("a new connection is answered %d", status)
		}
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("the connection that was idle longest is still open")
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	failed := make(chan error, 1)
	address, _ := serve(t, func(c *Config) { c.WriteTimeout = model.Duration(50 * time.Millisecond) }, Deps{}, Mount{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			piece := make([]byte, 1<<20)
			for {
				if _, err := w.Write(piece); err != nil {
					failed <- err
					return
				}
			}
		}),
	})
	fmt.Fprint(dial(t, address), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case <-failed:
	case <-time.After(time.Minute):
		t.Fatal("the answer still waits for its reader")
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	c := Config{AllowedHosts: []string{"http://x"}}
	var got []string
	for _, err := range append(c.Validate(), CheckOrigins("cors_origins", []string{"*", "https://ok.example", "https://*.ok.example", "example.org", "https://x/path", "https://u:p@x"})...) {
		field, _, _ := strings.Cut(err.Error(), ":")
		got = append(got, field)
	}
	want := []string{"body_timeout", "header_timeout", "idle_timeout", "write_timeout", "max_connections", "max_connections_per_address", "max_body_bytes_in_flight", "allowed_hosts[0]", "client_address_header", "cors_origins[3]", "cors_origins[4]", "cors_origins[5]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestConnectionsOfOtherProtocolsAreBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxConnections = 2
	f, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Listener("grpc", nil) != nil {
		t.Error("a listener that is turned off is there")
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := f.Listener("grpc", inner)
	accepted := make(chan net.Conn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	var conns []net.Conn
	for range 2 {
		dial(t, inner.Addr().String())
		conns = append(conns, <-accepted)
	}
	third := dial(t, inner.Addr().String())
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("a connection too many is served")
	}
	conns[0].Close()
	conns[0].Close() // twice, as servers do
	dial(t, inner.Addr().String())
	conns = append(conns, <-accepted)
	fourth := dial(t, inner.Addr().String())
	if _, err := fourth.Read(make([]byte, 1)); err == nil {
		t.Error("closing one connection twice made room for two")
	}
	for _, c := range conns {
		c.Close()
	}
	inner.Close()
	<-done
}

// Redirects to the clean path, 404 and 405 are the mux's own answers.
func TestWhatNoMountAnswersPassesLikeTheRest(t *testing.T) {
	cfg := DefaultConfig()
	var seen []string
	f, err := New(cfg, Deps{Hooks: Hooks{Audit: func(e Ended) {
		seen = append(seen, fmt.Sprintf("%s%s %s %d", e.Mount.Port, e.Mount.Pattern, e.Request.URL.Path, e.Status))
	}}})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Port("test")
	p.Mount("GET /a/", Mount{Needs: Always(access.Open), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("x")) })})
	loopback := context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	for _, c := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/a/b", "localhost", 200},
		{"GET", "//a/../a/b", "localhost", 307},
		{"GET", "/a", "localhost", 307},
		{"GET", "/b", "localhost", 404},
		{"POST", "/a/b", "localhost", 405},
		{"GET", "//a/../a/b", "evil.example", 403},
		{"GET", "/b", "evil.example", 403},
		{"POST", "/a/b", "evil.example", 403},
	} {
		r := httptest.NewRequestWithContext(loopback, c.method, "http://"+c.host+c.path, strings.NewReader("body"))
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s of %s: %d, want %d", c.method, c.path, c.host, w.Code, c.want)
		}
	}
	if len(seen) != 5 {
		t.Errorf("the hooks saw %q", seen)
	}
}
