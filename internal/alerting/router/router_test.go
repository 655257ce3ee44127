package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/client"
	"github.com/prometheus/alertmanager/api/v2/client/alert"
	"github.com/prometheus/alertmanager/api/v2/client/alertgroup"
	"github.com/prometheus/alertmanager/api/v2/client/general"
	"github.com/prometheus/alertmanager/api/v2/client/receiver"
	"github.com/prometheus/alertmanager/api/v2/client/silence"
	apimodels "github.com/prometheus/alertmanager/api/v2/models"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// pages is a page store in memory that tells of every save.
type pages struct {
	mu    sync.Mutex
	list  []model.Page
	saved chan model.Page
}

func newPages() *pages { return &pages{saved: make(chan model.Page, 100)} }

func (p *pages) SavePage(_ context.Context, page model.Page) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.saved <- page:
	default:
	}
	for i := range p.list {
		if p.list[i].ID == page.ID {
			p.list[i] = page
			return nil
		}
	}
	p.list = append(p.list, page)
	return nil
}

func (p *pages) Page(_ context.Context, id string) (model.Page, error) {
	return p.find(func(page model.Page) bool { return page.ID == id })
}

func (p *pages) PageByDedup(_ context.Context, key string) (model.Page, error) {
	return p.find(func(page model.Page) bool { return page.DedupKey == key && page.Status == "firing" })
}

func (p *pages) find(ok func(model.Page) bool) (model.Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, page := range p.list {
		if ok(page) {
			return page, nil
		}
	}
	return model.Page{}, store.ErrNotFound
}

// patience guards against a test that hangs; it is no claim of how quick anything is.
const patience = time.Minute

// await is the first saved page that satisfies ok.
func (p *pages) await(t *testing.T, what string, ok func(model.Page) bool) model.Page {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case page := <-p.saved:
			if ok(page) {
				return page
			}
		case <-timeout:
			t.Fatalf("no page that is %s within %s", what, patience)
		}
	}
}

type fixture struct {
	*Router
	dir   string
	pages *pages
	stop  func() // a clean stop
	api   *client.AlertmanagerAPI
	built time.Time // before it runs
}

func write(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// start runs a router over dir; config "" is the default tree.
func start(t *testing.T, dir, config string, change ...func(*Deps)) *fixture {
	t.Helper()
	f := &fixture{dir: dir, pages: newPages()}
	file := ""
	if config != "" {
		file = write(t, dir, config)
	}
	var err error
	deps := Deps{
		Registerer: prometheus.NewRegistry(), Dir: filepath.Join(dir, "alerting"), ConfigFile: file, Pages: f.pages,
		ExternalURL: &url.URL{Scheme: "http", Host: "box.example"},
	}
	for _, c := range change {
		c(&deps)
	}
	f.Router, err = New(deps)
	if err != nil {
		t.Fatal(err)
	}
	f.built = time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var once sync.Once
	f.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(f.stop)
	srv := httptest.NewServer(f.Handler())
	t.Cleanup(srv.Close)
	f.api = client.NewHTTPClientWithConfig(strfmt.Default, &client.TransportConfig{Host: strings.TrimPrefix(srv.URL, "http://"), BasePath: "/api/v2", Schemes: []string{"http"}})
	return f
}

// hook is a webhook receiver that checks what it is sent.
type hook struct {
	*httptest.Server
	calls chan hookCall
	fail  func(n int) bool

	mu sync.Mutex
	n  int
}

type hookCall struct {
	at      time.Time
	path    string
	body    map[string]any
	refused bool
}

func newHook(t *testing.T, fail func(n int) bool) *hook {
	t.Helper()
	h := &hook{calls: make(chan hookCall, 100), fail: fail}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.n++
		n := h.n
		h.mu.Unlock()
		text, _ := io.ReadAll(r.Body)
		c := hookCall{at: time.Now(), path: r.URL.Path}
		if err := json.Unmarshal(text, &c.body); err != nil {
			t.Errorf("the body is not JSON: %s", text)
		}
		if h.fail != nil && h.fail(n) {
			c.refused = true
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		h.calls <- c
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) await(t *testing.T, what string, ok func(hookCall) bool) hookCall {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case c := <-h.calls:
			if ok(c) {
				return c
			}
		case <-timeout:
			t.Fatalf("no call that is %s within %s", what, patience)
		}
	}
}

func delivered(c hookCall) bool { return !c.refused }

func webhookConfig(url string) string {
	return fmt.Sprintf(`
route: {receiver: hook, group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: %q}]}]
`, url)
}

func burn(kv ...string) notify.Alert {
	a := notify.Alert{
		Labels:      model.Labels{"alertname": "SLOBurnRateFast", "service": "edge", "severity": "critical"},
		Annotations: model.Labels{"summary": "Edge burns its budget."},
	}
	for i := 0; i+1 < len(kv); i += 2 {
		a.Labels[kv[i]] = kv[i+1]
	}
	return a
}

func send(t *testing.T, r *Router, alerts ...notify.Alert) {
	t.Helper()
	if err := r.Send(context.Background(), alerts...); err != nil {
		t.Fatal(err)
	}
}

func TestAnAlertReachesTheWebhookAtOnceAndIsRecorded(t *testing.T) {
	h := newHook(t, nil)
	f := start(t, t.TempDir(), webhookConfig(h.URL))
	send(t, f.Router, burn())
	c := h.await(t, "firing", delivered)
	if c.body["version"] != "4" || c.body["status"] != "firing" || c.body["receiver"] != "hook" || c.body["groupKey"] != `{}:{service="edge"}` || c.body["externalURL"] != "http://box.example" {
		t.Errorf("payload %v", c.body)
	}
	page := f.pages.await(t, "recorded on both channels", func(p model.Page) bool { return len(p.Deliveries) == 2 })
	if page.Status != "firing" || page.Severity != "critical" || page.Summary != "Edge burns its budget." || page.Receiver != "hook" {
		t.Errorf("page %+v", page)
	}
	ended := burn()
	ended.EndsAt = time.Now()
	send(t, f.Router, ended)
	h.await(t, "resolved", func(c hookCall) bool { return c.body["status"] == "resolved" })
	f.pages.await(t, "resolved", func(p model.Page) bool { return p.Status == "resolved" && p.ID == page.ID })
	atOnce(t, f.Router, func(service string) {
		h.await(t, service, func(c hookCall) bool { return strings.Contains(fmt.Sprint(c.body["groupKey"]), service) })
	})
}

// atOnce holds the way from an alert to arrived to a second. A machine that is busy with other tests is slow
// now and then, so the quickest of several counts; what waits where it need not is slow each time.
func atOnce(t *testing.T, r *Router, arrived func(service string)) {
	t.Helper()
	best := time.Duration(math.MaxInt64)
	for i := range 10 {
		service := fmt.Sprint("quick-", i)
		sent := time.Now()
		send(t, r, burn("service", service))
		arrived(service)
		if best = min(best, time.Since(sent)); best < time.Second {
			return
		}
	}
	t.Errorf("the quickest of ten took %s: something waits", best)
}

func TestWithoutAFileCriticalPagesLandInTheInboxAtOnce(t *testing.T) {
	f := start(t, t.TempDir(), "")
	send(t, f.Router, burn())
	page := f.pages.await(t, "in the inbox", func(model.Page) bool { return true })
	atOnce(t, f.Router, func(service string) {
		f.pages.await(t, service, func(p model.Page) bool { return p.GroupLabels["service"] == service })
	})
	if page.Deliveries[0].Channel != "inbox" || page.Receiver != "inbox" || page.GroupLabels["service"] != "edge" {
		t.Errorf("page %+v", page)
	}
}

func TestAFailingChannelIsTriedAgainAndEveryAttemptIsLogged(t *testing.T) {
	h := newHook(t, func(n int) bool { return n <= 2 })
	f := start(t, t.TempDir(), webhookConfig(h.URL))
	send(t, f.Router, burn())
	h.await(t, "delivered", delivered)
	page := f.pages.await(t, "delivered by webhook", func(p model.Page) bool {
		return len(p.Deliveries) > 0 && lastOf(p, "webhook[0]").Status == "delivered"
	})
	var failed model.Delivery
	for _, d := range page.Deliveries {
		if d.Status == "failed" {
			failed = d
		}
	}
	if failed.Attempt != 2 || !strings.Contains(failed.Error, "503") || lastOf(page, "webhook[0]").Attempt != 3 {
		t.Errorf("deliveries %+v", page.Deliveries)
	}
}

func lastOf(p model.Page, channel string) (d model.Delivery) {
	for _, x := range p.Deliveries {
		if x.Channel == channel {
			d = x
		}
	}
	return d
}

func TestAKillWhileFiringDeliversAfterTheRestartWithTheSameKey(t *testing.T) {
	down := newHook(t, func(int) bool { return true })
	dir := t.TempDir()
	f := start(t, dir, webhookConfig(down.URL))
	send(t, f.Router, burn())
	first := down.await(t, "tried", func(c hookCall) bool { return c.refused })

	// A kill leaves the folder as it is now: the second run has a copy of it.
	killed := t.TempDir()
	copyRunning(t, filepath.Join(killed, "alerting"), filepath.Join(dir, "alerting"))
	up := newHook(t, nil)
	g := start(t, killed, webhookConfig(up.URL))
	c := up.await(t, "delivered", delivered)
	if c.body["groupKey"] != first.body["groupKey"] {
		t.Errorf("group key %v, before the kill %v", c.body["groupKey"], first.body["groupKey"])
	}
	page := g.pages.await(t, "recorded", func(model.Page) bool { return true })
	before := f.pages.await(t, "recorded before the kill", func(model.Page) bool { return true })
	if page.DedupKey != before.DedupKey {
		t.Errorf("dedup key %s, before the kill %s", page.DedupKey, before.DedupKey)
	}
}

func TestARestartDoesNotDeliverAgain(t *testing.T) {
	h := newHook(t, nil)
	dir := t.TempDir()
	f := start(t, dir, webhookConfig(h.URL))
	send(t, f.Router, burn())
	h.await(t, "delivered", delivered)
	f.pages.await(t, "recorded on both channels", func(p model.Page) bool { return len(p.Deliveries) == 2 })
	f.stop()
	g := start(t, dir, webhookConfig(h.URL))
	// The restored alert is flushed before the new one of another group, which is
	// therefore the next call if and only if the old one is not delivered again.
	send(t, g.Router, burn("service", "other"))
	if c := h.await(t, "the next", delivered); c.body["groupKey"] != `{}:{service="other"}` {
		t.Errorf("delivered again: %v", c.body["groupKey"])
	}
}

func TestASilenceIsOnDiskWhenTheAPIAnswers(t *testing.T) {
	dir := t.TempDir()
	f := start(t, dir, "")
	str := func(s string) *string { return &s }
	yes := true
	begin, end := strfmt.DateTime(time.Now()), strfmt.DateTime(time.Now().Add(time.Hour))
	res, err := f.api.Silence.PostSilences(silence.NewPostSilencesParams().WithSilence(&apimodels.PostableSilence{Silence: apimodels.Silence{
		Comment: str("maintenance"), CreatedBy: str("me"), StartsAt: &begin, EndsAt: &end,
		Matchers: apimodels.Matchers{{Name: str("service"), Value: str("edge"), IsRegex: new(bool), IsEqual: &yes}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	copyRunning(t, filepath.Join(killed, "alerting"), filepath.Join(dir, "alerting"))
	g := start(t, killed, "")
	list, err := g.api.Silence.GetSilences(silence.NewGetSilencesParams())
	if err != nil || len(list.Payload) != 1 || *list.Payload[0].ID != res.Payload.SilenceID {
		t.Fatalf("after the kill: %v, %v", list, err)
	}
	send(t, g.Router, burn(), burn("service", "other"))
	if p := g.pages.await(t, "not silenced", func(model.Page) bool { return true }); p.Service != "other" {
		t.Errorf("a silenced service was paged: %+v", p)
	}
	got, err := g.api.Alert.GetAlerts(alert.NewGetAlertsParams().WithFilter([]string{`service="edge"`}))
	if q, ok := g.Silence(t.Context(), res.Payload.SilenceID); !ok || q.ID != res.Payload.SilenceID || q.Comment == "" || q.CreatedBy == "" || !q.EndsAt.After(time.Now()) {
		t.Errorf("the silence by its id is %+v, %v", q, ok)
	}
	if q, ok := g.Silence(t.Context(), "no-such-id"); ok {
		t.Errorf("found a silence that nobody made: %+v", q)
	}
	if err != nil || len(got.Payload) != 1 || len(got.Payload[0].Status.SilencedBy) != 1 {
		t.Errorf("silenced alert in the API: %+v, %v", got, err)
	}
	if _, err := g.api.Silence.DeleteSilence(silence.NewDeleteSilenceParams().WithSilenceID(strfmt.UUID(res.Payload.SilenceID))); err != nil {
		t.Fatal(err)
	}
	g.stop()
	h := start(t, killed, "")
	list, err = h.api.Silence.GetSilences(silence.NewGetSilencesParams())
	if err != nil || len(list.Payload) != 1 || *list.Payload[0].Status.State != "expired" {
		t.Errorf("an expired silence came back: %+v, %v", list, err)
	}
}

func TestTheAPIAnswersWhatAmtoolAsks(t *testing.T) {
	f := start(t, t.TempDir(), "")
	now := strfmt.DateTime(time.Now())
	if _, err := f.api.Alert.PostAlerts(alert.NewPostAlertsParams().WithAlerts(apimodels.PostableAlerts{{
		StartsAt: now, Alert: apimodels.Alert{Labels: apimodels.LabelSet{"alertname": "DiskFull", "severity": "critical"}},
	}})); err != nil {
		t.Fatal(err)
	}
	f.pages.await(t, "made of a posted alert", func(p model.Page) bool { return p.Title == "DiskFull" })
	if _, err := f.api.Alert.PostAlerts(alert.NewPostAlertsParams().WithAlerts(apimodels.PostableAlerts{{}})); err == nil {
		t.Error("an alert without labels was accepted")
	}
	groups, err := f.api.Alertgroup.GetAlertGroups(alertgroup.NewGetAlertGroupsParams())
	if err != nil || len(groups.Payload) != 1 {
		t.Errorf("groups: %v, %v", groups, err)
	}
	rcv, err := f.api.Receiver.GetReceivers(receiver.NewGetReceiversParams())
	if err != nil || len(rcv.Payload) != 2 {
		t.Errorf("receivers: %v, %v", rcv, err)
	}
	st, err := f.api.General.GetStatus(general.NewGetStatusParams())
	if err != nil || !strings.Contains(*st.Payload.Config.Original, "receiver: inbox") {
		t.Errorf("status: %v, %v", st, err)
	}
}

func TestAWatchdogReachesItsHeartbeatAndNobodyElse(t *testing.T) {
	h := newHook(t, nil)
	f := start(t, t.TempDir(), webhookConfig(h.URL+"/people")) // no route for it: it must not go to the default receiver
	dog := burn("alertname", WatchdogName, "severity", "none")
	send(t, f.Router, dog, burn("service", "other"))
	if c := h.await(t, "the first", delivered); c.body["groupKey"] != `{}:{service="other"}` {
		t.Errorf("the watchdog was sent to people: %v", c.body)
	}
	if err := reload(f.Router, write(t, f.dir, fmt.Sprintf(`
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  routes: [{receiver: heartbeat, matchers: ['alertname="Watchdog"'], group_wait: 0s}]
receivers: [{name: people}, {name: heartbeat, webhook_configs: [{url: %q}]}]
`, h.URL+"/heartbeat"))); err != nil {
		t.Fatal(err)
	}
	h.await(t, "the heartbeat", func(c hookCall) bool { return c.path == "/heartbeat" })
	f.pages.mu.Lock()
	defer f.pages.mu.Unlock()
	for _, p := range f.pages.list {
		if p.Title == WatchdogName {
			t.Errorf("the watchdog made a page: %+v", p)
		}
	}
}

// reload puts a file into force, and says what is wrong with it.
func reload(r *Router, file string) error {
	change := r.Prepare(file)
	return errors.Join(change.Commit(), change.Err())
}

func TestABadReloadKeepsTheTreeAndNamesTheFile(t *testing.T) {
	h := newHook(t, nil)
	f := start(t, t.TempDir(), webhookConfig(h.URL))
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "route: {receiver: a, gruop_by: [x]}\nreceivers: [{name: a}]\n", `alertmanager.yml:1: unknown key "gruop_by" (the files of the last good load stay in force); did you mean "group_by"?`},
		{"an unknown receiver", "route: {receiver: b}\nreceivers: [{name: a}]\n", `"b"`},
		{"a webhook without a URL", "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]\n", "url"},
		{"a broken template", "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: ['" + badTemplate(t) + "']\n", "template"},
	} {
		err := reload(f.Router, write(t, f.dir, c.text))
		if err == nil || !strings.Contains(err.Error(), "alertmanager.yml") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want the file and %q", c.name, err, c.want)
		}
	}
	if err := reload(f.Router, filepath.Join(f.dir, "nosuch.yml")); err == nil || !strings.Contains(err.Error(), "nosuch.yml") {
		t.Errorf("a missing file: %v", err)
	}
	send(t, f.Router, burn())
	h.await(t, "delivered by the tree before", delivered)
}

// Paths mean what they mean to Alertmanager, whose own loader is the oracle.
func TestAFileIsReadAsAlertmanagersOwnLoaderReadsIt(t *testing.T) {
	dir := t.TempDir()
	client := "http_config: {authorization: {credentials_file: key}, tls_config: {ca_file: /ca, cert_file: sub/c, key_file: k}}"
	path := write(t, dir, `
global: {http_config: {proxy_url: "http://p", tls_config: {ca_file: global-ca}}, slack_api_url_file: slack, smtp_smarthost: "h:25", smtp_from: a@b}
templates: ["t/*.tmpl", /abs/*.tmpl]
route: {receiver: a}
receivers:
- name: a
  webhook_configs: [{url: "http://h", `+client+`}, {url_file: u}]
  slack_configs: [{channel: c, `+client+`}]
  pagerduty_configs: [{routing_key_file: k, `+client+`}]
  opsgenie_configs: [{api_key_file: k, `+client+`}]
  pushover_configs: [{user_key_file: k, token_file: t, `+client+`}]
  victorops_configs: [{api_key_file: k, routing_key: r, `+client+`}]
  wechat_configs: [{api_secret: s, corp_id: c, `+client+`}]
  sns_configs: [{topic_arn: t, sigv4: {region: r}, `+client+`}]
  telegram_configs: [{bot_token_file: t, chat_id: 1, `+client+`}]
  discord_configs: [{webhook_url_file: u, `+client+`}]
  webex_configs: [{room_id: r, http_config: {authorization: {credentials_file: key}}}]
  msteams_configs: [{webhook_url_file: u, `+client+`}]
  msteamsv2_configs: [{webhook_url_file: u, `+client+`}]
  email_configs: [{to: a@b, tls_config: {ca_file: ca}}]
`)
	want, err := amconfig.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, problems := read(document.File{Path: path, Text: text})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("not as Alertmanager reads it:\n%+v\n%+v", want, got)
	}
}

func TestARouteFileThatIsReplacedAfterItWasReadIsTakenAsItWasRead(t *testing.T) {
	f := start(t, t.TempDir(), "route: {receiver: first}\nreceivers: [{name: first}]\n")
	path := write(t, f.dir, "route: {receiver: second}\nreceivers: [{name: second}]\n")
	change := f.Prepare(path)
	write(t, f.dir, "route: {receiver: third}\nreceivers: [{name: third}]\n")
	if got := f.Config().Route.Receiver; got != "first" {
		t.Errorf("preparing put %s into force", got)
	}
	if err := change.Commit(); err != nil || f.Config().Route.Receiver != "second" {
		t.Errorf("%v: %s is in force", err, f.Config().Route.Receiver)
	}
}

func badTemplate(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.tmpl")
	if err := os.WriteFile(file, []byte("{{ define"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDamagedStateIsSetAsideAndTheRouterStarts(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "alerting")
	if err := os.MkdirAll(state, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{silencesFile, logFile, alertsFile} {
		if err := os.WriteFile(filepath.Join(state, f), []byte("\xff\xff\xff damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := start(t, dir, "")
	kept, err := filepath.Glob(filepath.Join(state, "*.corrupt-*"))
	if err != nil || len(kept) != 3 {
		t.Errorf("set aside: %v, %v", kept, err)
	}
	said := ""
	for _, p := range f.Problems() {
		said += p.Message + "\n"
	}
	for _, want := range []string{"silences of the alert router was damaged", "notified once more, with the same dedup key", "alerts.json of the alert router"} {
		if !strings.Contains(said, want) {
			t.Errorf("problems lack %q:\n%s", want, said)
		}
	}
	send(t, f.Router, burn())
	f.pages.await(t, "made all the same", func(model.Page) bool { return true })
}

func TestInhibitionsOfTheDefaultTree(t *testing.T) {
	f := start(t, t.TempDir(), "")
	send(t, f.Router, burn(), burn("service", "file-server", "scope", "upstream", "upstream", "file-server"))
	f.pages.await(t, "critical", func(model.Page) bool { return true })
	send(t, f.Router,
		burn("severity", "warning"),
		burn("service", "deployment", "upstream", "file-server"),
		burn("service", "layout", "severity", "warning"))
	if m := f.Muted(context.Background(), burn("severity", "warning").Labels); len(m.InhibitedBy) != 1 || len(m.SilencedBy) != 0 {
		t.Errorf("a warning beside the page: %+v", m)
	}
	active := func(filters ...string) int {
		no := false
		got, err := f.api.Alert.GetAlerts(alert.NewGetAlertsParams().WithFilter(filters).WithInhibited(&no))
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Payload)
	}
	for _, c := range []struct {
		name    string
		filters []string
		want    int
	}{
		{"the warning of a service that is being paged for", []string{`service="edge"`, `severity="warning"`}, 0},
		{"who depends on a failing service", []string{`service="deployment"`}, 0},
		{"the failing service itself", []string{`service="file-server"`}, 1},
		{"another service's warning", []string{`service="layout"`}, 1},
		{"the critical alert itself", []string{`service="edge"`, `severity="critical"`}, 1},
	} {
		if got := active(c.filters...); got != c.want {
			t.Errorf("%s: %d active, want %d", c.name, got, c.want)
		}
	}
}

func TestInvalidAlertsAreRefusedByName(t *testing.T) {
	f := start(t, t.TempDir(), "")
	if err := f.Send(context.Background(), notify.Alert{Labels: model.Labels{"alertname": ""}}); err == nil {
		t.Error("an alert without labels was accepted")
	}
	bad := burn()
	bad.StartsAt, bad.EndsAt = time.Now(), time.Now().Add(-time.Hour)
	if err := f.Send(context.Background(), bad); err == nil || !strings.Contains(err.Error(), "SLOBurnRateFast") {
		t.Errorf("an alert that ends before it begins: %v", err)
	}
}
