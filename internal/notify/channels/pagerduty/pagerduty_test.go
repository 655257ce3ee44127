package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	intake "github.com/signalbox-project/signalbox/internal/ingest/pagerduty"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/pagerduty"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const key = "0123456789abcdef0123456789abcdef"

func newChannel(t *testing.T, base string) notify.Channel {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &pagerduty.Config{URL: base + "/v2/enqueue", Services: []pagerduty.Service{{Name: "shop", RoutingKey: secretfile.Key{File: file}}}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := pagerduty.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now, ExternalURL: "https://signalbox.example"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sent is an event as PagerDuty documents it: https://developer.pagerduty.com/docs/send-alert-event. What is not there is refused.
type sent struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    *struct {
		Summary   string          `json:"summary"`
		Timestamp string          `json:"timestamp"`
		Severity  string          `json:"severity"`
		Source    string          `json:"source"`
		Component string          `json:"component"`
		Group     string          `json:"group"`
		Class     string          `json:"class"`
		Details   json.RawMessage `json:"custom_details"`
	} `json:"payload"`
	Images    []map[string]string `json:"images"`
	Links     []map[string]string `json:"links"`
	Client    string              `json:"client"`
	ClientURL string              `json:"client_url"`
}

func accept(r *http.Request, body []byte) (e sent, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, err
	}
	// What another Signalbox receives must take it, too.
	if got, err := intake.ParseEvent(body); err != nil || got.DedupKey != e.DedupKey {
		return e, fmt.Errorf("our own intake: %w", errors.Join(err, fmt.Errorf("dedup_key %q", got.DedupKey)))
	}
	switch {
	case r.Method != "POST" || r.URL.Path != "/v2/enqueue" || r.Header.Get("Content-Type") != "application/json":
		return e, errors.New("not a POST of JSON to /v2/enqueue")
	case len(body) > 512_000:
		return e, fmt.Errorf("%d bytes, at most 512 KB", len(body))
	case !utf8.Valid(body):
		return e, errors.New("not UTF-8")
	case len(e.RoutingKey) != 32:
		return e, errors.New("routing_key: must have 32 characters")
	case !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.Action):
		return e, errors.New("event_action: " + e.Action)
	case len(e.DedupKey) == 0 || len(e.DedupKey) > 255:
		return e, errors.New("dedup_key: 1 to 255 characters")
	case e.Action != "trigger":
		return e, nil
	case e.Payload == nil:
		return e, errors.New("payload: missing")
	case e.Payload.Source == "" || e.Payload.Summary == "" || utf8.RuneCountInString(e.Payload.Summary) > 1024:
		return e, errors.New("payload: source or summary")
	case !slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity):
		return e, errors.New("severity: " + e.Payload.Severity)
	}
	if _, err := time.Parse(time.RFC3339, e.Payload.Timestamp); e.Payload.Timestamp != "" && err != nil {
		return e, err
	}
	for _, l := range append(e.Links, map[string]string{"href": e.ClientURL}) {
		if u, err := url.Parse(l["href"]); err != nil || l["href"] != "" && u.Scheme != "https" && u.Scheme != "http" {
			return e, fmt.Errorf("link %v", l)
		}
	}
	return e, nil
}

func answer(e sent) string {
	key, _ := json.Marshal(e.DedupKey)
	return `{"status":"success","message":"Event processed","dedup_key":` + string(key) + `}`
}

func kinds() []notify.Kind {
	return []notify.Kind{notify.Paged, notify.Noticed, notify.Acknowledged, notify.Resolved, notify.Drill}
}

func TestPagerDutyTakesEveryMessage(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New: newChannel, To: notify.Target{Channel: "pagerduty", Address: "shop"}, Status: http.StatusAccepted, Secrets: []string{key}, Kinds: kinds(),
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			e, err := accept(r, body)
			want := map[notify.Kind]string{notify.Paged: "trigger", notify.Noticed: "trigger", notify.Drill: "trigger", notify.Acknowledged: "acknowledge", notify.Resolved: "resolve"}[m.Kind]
			if err == nil && e.Action != want {
				err = fmt.Errorf("event_action %s for %s", e.Action, m.Kind)
			}
			if err == nil && len(m.DedupKey) <= 255 && e.DedupKey != m.DedupKey {
				err = fmt.Errorf("dedup_key %q, ours is %q", e.DedupKey, m.DedupKey)
			}
			return answer(e), err
		},
	})
}

func TestOnePageIsOneAlertWhateverItsKeyIs(t *testing.T) {
	var got []sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		e, err := accept(r, b.Bytes())
		if err != nil {
			t.Error(err)
		}
		got = append(got, e)
		w.WriteHeader(202)
		_, _ = w.Write([]byte(answer(e)))
	}))
	defer s.Close()
	c := newChannel(t, s.URL)
	keys := map[string]bool{}
	for _, dedup := range []string{"a", strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", 257), " a", "a\n", "a\xff", "漢" + strings.Repeat("a", 252), "漢" + strings.Repeat("a", 253)} {
		got = nil
		for _, k := range kinds() {
			if _, err := c.Send(t.Context(), notify.Message{Kind: k, DedupKey: dedup, Title: "x", To: notify.Target{Address: "shop"}}); err != nil {
				t.Fatalf("%q: %v", dedup, err)
			}
		}
		for _, e := range got {
			if e.DedupKey != got[0].DedupKey {
				t.Errorf("%q: two keys, %q and %q", dedup, got[0].DedupKey, e.DedupKey)
			}
		}
		if keys[got[0].DedupKey] {
			t.Errorf("%q: has the key of another page", dedup)
		}
		keys[got[0].DedupKey] = true
	}
}

func TestSeverities(t *testing.T) {
	var e sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e = sent{}
		_ = json.NewDecoder(r.Body).Decode(&e)
		w.WriteHeader(202)
		_, _ = w.Write([]byte(answer(e)))
	}))
	defer s.Close()
	c := newChannel(t, s.URL)
	for _, x := range []struct {
		kind            notify.Kind
		level, severity string
		want            string
	}{
		{notify.Paged, "P0", "", "critical"},
		{notify.Paged, "P1", "warning", "critical"},
		{notify.Paged, "P2", "critical", "error"},
		{notify.Paged, "P3", "", "warning"},
		{notify.Paged, "", "page", "critical"},
		{notify.Paged, "", "Critical", "critical"},
		{notify.Paged, "", "warning", "warning"},
		{notify.Paged, "", "info", "info"},
		{notify.Paged, "", "", "error"},
		{notify.Paged, "", "unheard of", "error"},
		{notify.Noticed, "P1", "", "warning"},
		{notify.Noticed, "", "info", "info"},
	} {
		m := notify.Message{Kind: x.kind, Level: x.level, DedupKey: "k", Title: "t", To: notify.Target{Address: "shop"}, Page: &model.Page{Severity: x.severity}}
		if _, err := c.Send(t.Context(), m); err != nil || e.Payload.Severity != x.want {
			t.Errorf("%+v: %s, %v", x, e.Payload.Severity, err)
		}
	}
}

func TestALargePageLosesAlertsAndSaysHowMany(t *testing.T) {
	var e sent
	var size int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		size = b.Len()
		var err error
		if e, err = accept(r, b.Bytes()); err != nil {
			t.Error(err)
		}
		w.WriteHeader(202)
		_, _ = w.Write([]byte(answer(e)))
	}))
	defer s.Close()
	p := &model.Page{}
	for range 80 {
		ls := model.Labels{notify.AcknowledgeURL: "https://x.example/secret"}
		for i := range 40 {
			ls[fmt.Sprint("l", i)] = strings.Repeat("<", 2000)
		}
		p.Alerts = append(p.Alerts, model.PageAlert{Status: "firing", Labels: ls})
	}
	if _, err := newChannel(t, s.URL).Send(t.Context(), notify.Message{Kind: notify.Paged, DedupKey: "k", Title: "t", To: notify.Target{Address: "shop"}, Page: p}); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Firing int   `json:"firing"`
		Alerts []any `json:"alerts"`
		More   int   `json:"more_alerts"`
	}
	if err := json.Unmarshal(e.Payload.Details, &d); err != nil || d.Firing != 80 || len(d.Alerts) == 0 || len(d.Alerts)+d.More != 80 || size > 500_000 {
		t.Errorf("%d bytes, %d alerts and %d more of %d: %v", size, len(d.Alerts), d.More, d.Firing, err)
	}
	if strings.Contains(string(e.Payload.Details), "secret") {
		t.Error("the way to acknowledge is shown to everybody")
	}
}

func TestWhatIsNoPageAndWhoIsNobodyIsRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	defer s.Close()
	c := newChannel(t, s.URL)
	to := notify.Target{Address: "shop"}
	for name, m := range map[string]notify.Message{
		"a code": {Kind: notify.Verification, DedupKey: "k", To: to}, "a note": {Kind: notify.Told, DedupKey: "k", To: to}, "no key": {Kind: notify.Paged, To: to},
		"no service": {Kind: notify.Paged, DedupKey: "k", To: notify.Target{Address: "x"}},
	} {
		if _, err := c.Send(t.Context(), m); !notify.IsRefused(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A portal of the network answers everything with 200, and takes nothing.
func TestAnAnswerThatIsNotPagerDutysIsNoReceipt(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"status":"success"}`, `{"status":"success","dedup_key":"other"}`, `{"status":"invalid event","dedup_key":"k"}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		_, err := newChannel(t, s.URL).Send(t.Context(), notify.Message{Kind: notify.Paged, DedupKey: "k", Title: "t", To: notify.Target{Address: "shop"}})
		if err == nil || notify.IsRefused(err) {
			t.Errorf("%q: %v", body, err)
		}
		s.Close()
	}
}
