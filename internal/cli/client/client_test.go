package client_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

// with is a client whose user gave these flags.
func with(t *testing.T, flags ...string) *client.Client {
	t.Helper()
	c, fs := &client.Client{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	c.Flags(fs)
	if err := fs.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheServersOwnWordsReachTheUser(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"code":"bad_filter","message":"position 3: expected a value"}}`:         "position 3: expected a value",
		`{"status":"error","errorType":"bad_data","error":"position 3: expected a value"}`: "position 3: expected a value",
		"position 3: expected a value\n":                                                   "position 3: expected a value",
		`{"error":{"code":"bad_filter","message":""}}`:                                     `{"error":{"code":"bad_filter","message":""}}`,
		`{"error":""}`:    `{"error":""}`,
		`{"error":null}`:  `{"error":null}`,
		`{"error":["a"]}`: `{"error":["a"]}`,
		`[]`:              "[]",
		" \n":             "no explanation",
		"":                "no explanation",
	} {
		server := clitest.Serve(t, http.StatusBadRequest, body)
		err := with(t, "--server", server.URL).Get(t.Context(), "/x", nil, new(any))
		if want := server.URL + " answered 400 Bad Request: " + want; err == nil || err.Error() != want {
			t.Errorf("%q: %v; want %s", body, err, want)
		}
	}
}

func TestARequestCarriesWhatWasAsked(t *testing.T) {
	server := clitest.Serve(t, http.StatusOK, `{"a":1}`)
	c := with(t, "--server", server.URL+"/", "--tenant", "blue")
	awkward := url.Values{"q": {`a&b=c d+"é"`}}
	var got struct{ A int }
	text := []byte(nil)
	for _, step := range []func() error{
		func() error { return c.Get(t.Context(), "/p", nil, &got) },
		func() error { return c.Get(t.Context(), "/p", awkward, &got) },
		func() error { return c.PostForm(t.Context(), "/p", awkward, &got) },
		func() error { return c.PostJSON(t.Context(), "/p", map[string]string{"a": "<b>"}, &got) },
		func() error { return c.Delete(t.Context(), "/p", awkward, &got) },
		func() (err error) { text, err = c.GetRaw(t.Context(), "/p", awkward); return err },
	} {
		got.A = 0
		if err := step(); err != nil || got.A != 1 && text == nil {
			t.Fatalf("%v, answer %+v", err, got)
		}
	}
	if string(text) != `{"a":1}` {
		t.Errorf("raw: %q", text)
	}
	for i, want := range []struct{ method, contentType string }{{"GET", ""}, {"GET", ""}, {"POST", "application/x-www-form-urlencoded"}, {"POST", "application/json"}, {"DELETE", ""}, {"GET", ""}} {
		r := server.Asked[i]
		if r.Method != want.method || r.Header.Get("Content-Type") != want.contentType || r.Header.Get("X-Scope-OrgID") != "blue" {
			t.Errorf("request %d: %+v", i, r)
		}
	}
	if got := server.Asked[0].URL; got != "/p" {
		t.Errorf("without parameters: %s", got)
	}
	for _, i := range []int{1, 4, 5} {
		if u, err := url.Parse(server.Asked[i].URL); err != nil || u.Path != "/p" || u.Query().Get("q") != awkward.Get("q") {
			t.Errorf("request %d: %s", i, server.Asked[i].URL)
		}
	}
	if form, err := url.ParseQuery(server.Asked[2].Body); err != nil || form.Get("q") != awkward.Get("q") {
		t.Errorf("form: %s", server.Asked[2].Body)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(server.Asked[3].Body), &body); err != nil || body["a"] != "<b>" {
		t.Errorf("JSON: %s", server.Asked[3].Body)
	}
}

func TestAnAddressIsTakenAsPeopleTypeIt(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"localhost:4300", "http://localhost:4300"},
		{" box.example.org ", "http://box.example.org"},
		{"//box:1/", "http://box:1"},
		{"https://box.example.org/sb/", "https://box.example.org/sb"},
		{"[::1]:4300", "http://[::1]:4300"},
		{"http://kim:pw@box", "http://kim:pw@box"},
	} {
		var u client.URL
		if err := u.Set(c.typed); err != nil || u.String() != c.want {
			t.Errorf("%q: %q, %v; want %s", c.typed, u, err, c.want)
		}
	}
	for typed, cure := range map[string]string{
		"":                  "host:port",
		"http://":           "host:port",
		"http://:4300":      "host:port",
		"http://a b":        "host:port",
		"ftp://box":         "give http:// or https://",
		"unix:///run/box":   "host:port",
		"http://box?tenant": "without a query",
		"http://box#top":    "without a query or a fragment",
	} {
		u := client.URL("http://before")
		if err := u.Set(typed); err == nil || !strings.Contains(err.Error(), cure) || u.String() != "http://before" {
			t.Errorf("%q: %v, then %s; want an error with %q and no change", typed, err, u, cure)
		}
	}
}

func TestAServerThatDoesNotAnswerIsNamedWithTheCureAndWithoutItsPassword(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	odd := clitest.Serve(t, http.StatusOK, "<html>")
	for _, c := range []struct {
		address, timeout string
		want             []string
	}{
		{silent.Addr().String(), "20ms", []string{"did not answer within 20ms (--timeout)"}},
		{gone.Addr().String(), "1m", []string{"connection refused", "start one with 'signalbox serve' or name another with --server"}},
		{odd.Listener.Addr().String(), "1m", []string{"answered something that is not ours (is this a Signalbox server?)"}},
	} {
		err := with(t, "--server", "http://kim:SECRET@"+c.address, "--timeout", c.timeout).Get(t.Context(), "/x", nil, new(any))
		for _, want := range append(c.want, "http://kim:xxxxx@"+c.address) {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%s: %v; want %q", c.address, err, want)
			}
		}
	}
}
