package tracker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/tracker"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const token = "ghp_hunter2hunter2"

type memory map[string]string

func (m memory) Remember(_ context.Context, to notify.Target, key, what string) error {
	m[to.Address+"/"+key] = what
	return nil
}

func (m memory) Recall(_ context.Context, to notify.Target, key string) (string, error) {
	return m[to.Address+"/"+key], nil
}

// desk is a strict stand-in for a tracker: it keeps issues, and takes what its service documents.
type desk struct {
	*service
	issues []*ticket
	calls  []string
}

type ticket struct {
	title, label string
	closed       bool
	comments     []string
}

// service is how one tracker is spoken to. Each answers an HTTP status.
type service struct {
	name, address string
	make          func(base string, key secretfile.Key, d kind.Deps) (notify.Channel, error)
	serve         func(d *desk, call string, query string, in map[string]any) (any, error)
	authorized    func(h http.Header) bool
}

func only(m map[string]any, names ...string) error {
	for k := range m {
		if !slices.Contains(names, k) {
			return errors.New("unknown field " + k)
		}
	}
	return nil
}

// harmless says that nothing of a Markdown text but its links stands outside of the fence.
func harmless(text any) error {
	s, _ := text.(string)
	fence, rest, _ := strings.Cut(s, "text\n")
	if len(fence) < 3 || strings.Trim(fence, "`") != "" {
		return fmt.Errorf("no fence: %.80q", s)
	}
	lines := strings.Split(rest, "\n")
	end := slices.Index(lines, fence)
	for i, l := range lines {
		// A fence is closed by as many or more backticks, alone in their line.
		if bare := strings.TrimSpace(l); i != end && len(bare) >= len(fence) && strings.Trim(bare, "`") == "" {
			return fmt.Errorf("the fence is closed by %q", l)
		}
		if i > end && l != "" && !regexp.MustCompile("^- `[^`]+`: <https?://[^<>\\s]+>$").MatchString(l) {
			return fmt.Errorf("outside of the fence: %q", l)
		}
	}
	if len(utf16.Encode([]rune(s))) > 65_536 || end < 0 {
		return errors.New("too long, or not closed")
	}
	return nil
}

func title(v any, most int) (string, error) {
	s, _ := v.(string)
	if n := len(utf16.Encode([]rune(s))); n < 1 || n > most || strings.ContainsAny(s, "\n\r\x00") {
		return "", fmt.Errorf("title of %d", n)
	}
	return s, nil
}

func (d *desk) found(label string) []*ticket {
	return slices.DeleteFunc(slices.Clone(d.issues), func(t *ticket) bool { return t.closed || t.label != label })
}

func (d *desk) number(t *ticket) int { return slices.Index(d.issues, t) + 1 }

func (d *desk) ticket(id string) (*ticket, error) {
	var n int
	if _, err := fmt.Sscan(strings.TrimPrefix(id, "OPS-"), &n); err != nil || n < 1 || n > len(d.issues) {
		return nil, errors.New("Not Found " + id)
	}
	return d.issues[n-1], nil
}

var labelRE = regexp.MustCompile(`^signalbox-[0-9a-f]{20}$`)

func marker(labels []string) (string, error) {
	for _, l := range labels {
		if labelRE.MatchString(l) {
			return l, nil
		}
	}
	return "", fmt.Errorf("no marker among %v", labels)
}

func (d *desk) handle(r *http.Request, body []byte) (any, error) {
	call := r.Method + " " + r.URL.EscapedPath()
	d.calls = append(d.calls, call)
	if !d.authorized(r.Header) || r.Header.Get("User-Agent") == "" {
		return nil, errors.New("Bad credentials")
	}
	var in map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil || r.Header.Get("Content-Type") != "application/json" {
			return nil, fmt.Errorf("no JSON: %w", err)
		}
	}
	return d.serve(d, call, r.URL.RawQuery, in)
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, x := range list {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

func services() []*service {
	return []*service{githubAPI(), gitlabAPI(), jiraAPI()}
}

func newDesk(s *service) *desk { return &desk{service: s} }

func (d *desk) channel(t *testing.T, base string) notify.Channel {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := d.make(base, secretfile.Key{File: file}, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now, Memory: memory{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func kinds() []notify.Kind {
	return []notify.Kind{notify.Paged, notify.Noticed, notify.Acknowledged, notify.Resolved, notify.Drill}
}

func TestTrackersTakeEveryMessage(t *testing.T) {
	for _, s := range services() {
		d := newDesk(s)
		t.Run(s.name, func(t *testing.T) {
			channeltest.Run(t, channeltest.Case{
				New: d.channel, To: notify.Target{Channel: s.name, Address: s.address}, Secrets: []string{token}, Kinds: kinds(),
				Accept: func(r *http.Request, body []byte, _ notify.Message) (string, error) {
					out, err := d.handle(r, body)
					text, _ := json.Marshal(out)
					return string(text), err
				},
			})
		})
	}
}

func serve(t *testing.T, d *desk) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		out, err := d.handle(r, body)
		if err != nil {
			w.WriteHeader(422)
			out = map[string]string{"message": err.Error()}
		}
		var b bytes.Buffer
		json.NewEncoder(&b).Encode(out)
		w.Write(b.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAPageIsOneIssueThatIsCommentedAndClosed(t *testing.T) {
	for _, s := range services() {
		d := newDesk(s)
		url := serve(t, d)
		c := d.channel(t, url)
		p := &model.Page{Title: "Down", AckedBy: "anna @all", Alerts: []model.PageAlert{{Status: "firing", Labels: model.Labels{"x": "```\n/close\n@all"}}}}
		send := func(k notify.Kind) notify.Receipt {
			t.Helper()
			r, err := c.Send(t.Context(), notify.Message{DedupKey: "k", Kind: k, Title: "Down", Page: p, To: notify.Target{Channel: s.name, Address: s.address}})
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			return r
		}
		if r := send(notify.Acknowledged); r.ID != "" || len(d.issues) != 0 {
			t.Errorf("%s: an acknowledgement opened an issue: %v", s.name, r)
		}
		first, again := send(notify.Paged), send(notify.Paged)
		c = d.channel(t, url) // which remembers nothing
		found := send(notify.Paged)
		send(notify.Acknowledged)
		if first.ID == "" || again.ID != first.ID || found.ID != first.ID || len(d.issues) != 1 || d.issues[0].closed || len(d.issues[0].comments) != 1 {
			t.Errorf("%s: %v, %v, %v, %+v", s.name, first, again, found, d.issues)
		}
		send(notify.Resolved)
		if !d.issues[0].closed || len(d.issues[0].comments) != 2 || !strings.Contains(d.issues[0].comments[1], "Resolved: Down") {
			t.Errorf("%s: %+v", s.name, d.issues[0])
		}
		if next := send(notify.Paged); next.ID == first.ID || len(d.issues) != 2 {
			t.Errorf("%s: a new page is in an old issue", s.name)
		}
		for _, m := range []notify.Message{
			{Kind: notify.Told, DedupKey: "k", To: notify.Target{Address: s.address}},
			{Kind: notify.Verification, DedupKey: "k", To: notify.Target{Address: s.address}},
			{Kind: notify.Paged, To: notify.Target{Address: s.address}},
			{Kind: notify.Paged, DedupKey: "k", To: notify.Target{Address: "../x"}},
			{Kind: notify.Paged, DedupKey: "k", To: notify.Target{Address: "a/../../b"}},
		} {
			if _, err := c.Send(t.Context(), m); !notify.IsRefused(err) {
				t.Errorf("%s: %+v: %v", s.name, m, err)
			}
		}
	}
}

func TestWhoIsAskedTooOftenIsGivenTime(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(403)
		io.WriteString(w, `{"message":"You have exceeded a secondary rate limit. Please wait."}`)
	}))
	defer s.Close()
	for _, svc := range services() {
		_, err := newDesk(svc).channel(t, s.URL).Send(t.Context(), notify.Message{Kind: notify.Paged, DedupKey: "k", Title: "x", To: notify.Target{Address: svc.address}})
		if notify.RetryAfter(err) != time.Minute || notify.IsRefused(err) {
			t.Errorf("%s: %v", svc.name, err)
		}
	}
}

func TestWrongConfigurationsAreNamed(t *testing.T) {
	errs := (&tracker.Jira{Config: tracker.Config{Labels: []string{"a b"}}}).Validate()
	var text []string
	for _, err := range errs {
		text = append(text, err.Error())
	}
	for _, part := range []string{"token: needs", "url: must be given", "user: must", "labels[0]: must"} {
		if !strings.Contains(strings.Join(text, "\n"), part) {
			t.Errorf("%s is missing in %v", part, text)
		}
	}
}
