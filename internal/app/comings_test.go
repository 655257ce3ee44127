package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/api"
)

// logsOf are what a tenant has, as text; "" where it is not served.
func (r *running) logsOf(t *testing.T, tenant string) string {
	t.Helper()
	_, text := r.as(t, tenant, "GET", "/sb/v1/logs?start=now-1h", "")
	return text
}

func (r *running) write(t *testing.T, tenant, text string) {
	t.Helper()
	if status, answer := r.as(t, tenant, "POST", "/v1/logs", logRequest(time.Now(), text)); status != http.StatusOK {
		t.Fatalf("%s: %d %s", tenant, status, answer)
	}
}

// reconfigure reloads with another list of tenants.
func (r *running) reconfigure(t *testing.T, tenants string) (int, string) {
	t.Helper()
	files(t, r.dir, map[string]string{"signalbox.yml": "tenants: [" + tenants + "]\n"})
	return r.do(t, "POST", "/-/reload", "", "")
}

func (r *running) wantReload(t *testing.T, tenants string) {
	t.Helper()
	if status, text := r.reconfigure(t, tenants); status != http.StatusOK {
		t.Fatalf("%s: %d %s", tenants, status, text)
	}
}

func TestTenantsComeAndGoByReload(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}, {name: blue}]\n"})
	r.write(t, "acme", "of acme")
	r.write(t, "blue", "of blue")
	acme := r.roster.Load().byName["acme"]

	// One that comes is served at once; one that goes is unknown, and its folder stays.
	r.wantReload(t, "{name: acme}, {name: new}")
	r.write(t, "new", "of new")
	if status, _ := r.as(t, "blue", "GET", "/sb/v1/logs", ""); status != http.StatusNotFound {
		t.Errorf("blue: %d", status)
	}
	if !strings.Contains(r.log.String(), "tenants/blue") {
		t.Error("nobody says where the data of blue lies")
	}
	if _, err := os.Stat(filepath.Join(r.dir, "data", "tenants", "blue", "events")); err != nil {
		t.Error(err)
	}
	if r.roster.Load().byName["acme"] != acme {
		t.Error("acme, of which nothing changed, was opened anew")
	}
	for tenant, want := range map[string]string{"acme": "of acme", "new": "of new", "": `"logs":[`} {
		if text := r.logsOf(t, tenant); !strings.Contains(text, want) || strings.Count(text, "\"of ") > 1 || tenant == "" && strings.Contains(text, "\"of ") {
			t.Errorf("%s: %s", tenant, text)
		}
	}
	if text := r.served(t); strings.Contains(text, "blue") || !strings.Contains(text, `signalbox_tenant_served{tenant="new"} 1`) {
		t.Error(text)
	}

	// One that is named again has what it had; one whose limits change is opened with them.
	r.wantReload(t, "{name: acme, limits: {max_samples: 7}}, {name: new}, {name: blue}")
	if text := r.logsOf(t, "blue"); !strings.Contains(text, "of blue") {
		t.Errorf("blue: %s", text)
	}
	if text := r.logsOf(t, "acme"); !strings.Contains(text, "of acme") {
		t.Errorf("acme: %s", text)
	}
	if status, text := r.as(t, "acme", "GET", "/api/v1/query?query=sum(sum_over_time(vector(1)[1m:1s]))", ""); status == http.StatusOK {
		t.Errorf("acme has the limits of before: %s", text)
	}
	// None at all leaves default, which does not become everybody.
	r.wantReload(t, "")
	if status, text := r.as(t, "acme", "POST", "/v1/logs", logRequest(time.Now(), "x")); status != http.StatusNotFound {
		t.Errorf("%d %s", status, text)
	}
}

func (r *running) served(t *testing.T) (out string) {
	t.Helper()
	_, text := r.get(t, "/metrics")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "signalbox_tenant_served") {
			out += line
		}
	}
	return out
}

// Each tenant's usage is its own: by the API, to who may see it, and as metrics.
func TestWhatATenantTakesIsCounted(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme, limits: {max_series: 5}}, {name: blue}]\n"})
	for range 3 {
		r.write(t, "acme", "x")
	}
	if status, text := r.as(t, "acme", "POST", "/v1/metrics", metricRequest(time.Now())); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := r.as(t, "acme", "GET", "/api/v1/query?query=depth", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	code, text := r.as(t, "", "GET", "/sb/v1/tenants", "")
	list := into[api.TenantsResponse](t, code, text)
	if len(list.Tenants) != 3 || len(list.Unowned) != 0 {
		t.Fatalf("%+v", list)
	}
	acme, blue := list.Tenants[1], list.Tenants[2]
	if u := acme.Usage; acme.Name != "acme" || u.ReceivedLogs != 3 || u.ReceivedSamples != 2 || u.ReceivedBytes == 0 || u.QuerySeconds <= 0 || u.QuerySamples != 1 ||
		acme.Limits.MaxSeries != 5 || acme.Series != 2 || acme.Bytes["metrics"] == 0 || acme.Since.IsZero() {
		t.Errorf("%+v", acme)
	}
	if u := blue.Usage; u.ReceivedLogs != 0 || u.ReceivedBytes != 0 || u.QuerySamples != 0 {
		t.Errorf("blue has what is acme's: %+v", u)
	}
	if !r.contains(t, "/metrics", `signalbox_tenant_received_records_total{signal="logs",tenant="acme"} 3`, `signalbox_tenant_received_records_total{signal="logs",tenant="blue"} 0`,
		`signalbox_tenant_query_samples_total{tenant="acme"} 1`, `signalbox_tenant_active_series{tenant="default"}`) {
		t.Error("the metrics do not say so")
	}
	if _, text := r.as(t, "acme", "GET", "/metrics", ""); strings.Contains(text, "signalbox_tenant_") {
		t.Error("acme sees what others take")
	}
	// What is not named any more is named, with its folder.
	r.wantReload(t, "{name: acme}")
	code, text = r.as(t, "", "GET", "/sb/v1/tenants", "")
	if left := into[api.TenantsResponse](t, code, text).Unowned; len(left) != 1 || left[0].Tenant != "blue" || !strings.HasSuffix(left[0].Where, "tenants/blue") {
		t.Errorf("%+v", left)
	}
}

// What a reload cannot open is said and stops no other; a later reload opens it.
func TestATenantThatAReloadCannotOpenIsNamed(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n", "bad.yml": "policies: [{}]\n"})
	const three = "{name: acme}, {name: bad, policy_files: [bad.yml]}, {name: good}"
	if status, text := r.reconfigure(t, three); status != http.StatusInternalServerError || !strings.Contains(text, "tenant bad: is not served") {
		t.Errorf("%d %s", status, text)
	}
	r.write(t, "good", "x")
	if status, text := r.as(t, "bad", "GET", "/sb/v1/logs", ""); status != http.StatusServiceUnavailable {
		t.Errorf("bad: %d %s", status, text)
	}
	if !r.contains(t, "/sb/v1/status", "The tenant bad is not served") {
		t.Error("the status does not say so")
	}
	files(t, r.dir, map[string]string{"bad.yml": "policies: [{name: mended}]\n"})
	r.wantReload(t, three)
	r.write(t, "bad", "x")
	// A file with an error leaves everything as it was.
	if status, _ := r.reconfigure(t, "{name: acme}, {name: .}"); status != http.StatusInternalServerError {
		t.Errorf("%d", status)
	}
	r.write(t, "good", "x")
	// What cannot be opened with what is new stays open with what was.
	files(t, r.dir, map[string]string{"p.yml": "policies: [{}]\n"})
	status, text := r.reconfigure(t, "{name: acme, policy_files: [p.yml], limits: {max_series: 10}}, {name: bad}, {name: good}")
	if status != http.StatusInternalServerError || !strings.Contains(text, "tenant acme: opened as it was before") {
		t.Errorf("%d %s", status, text)
	}
	r.write(t, "acme", "x")
}

// Without any tenant the header is a column; to make it a boundary while data comes in is left to a restart.
func TestTheFirstTenantWaitsForARestart(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "global: {}\n"})
	r.wantReload(t, "{name: acme}")
	if log := r.log.String(); !strings.Contains(log, "takes effect after a restart") || !strings.Contains(log, "section=tenants") {
		t.Error("nobody says that it waits")
	}
	if len(r.others()) != 0 {
		t.Error("it did not wait")
	}
}

// A request that is under way when its tenant is taken out ends as any other, and what it brought is stored.
func TestWhoIsInATenantThatGoesEndsWell(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n"})
	acme := r.roster.Load().byName["acme"]
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.Addresses().Web, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := logRequest(time.Now(), "on its way")
	if _, err := fmt.Fprintf(conn, "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Scope-OrgID: acme\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)); err != nil {
		t.Fatal(err)
	}
	until(t, "the request is in", func() bool { acme.door.mu.Lock(); defer acme.door.mu.Unlock(); return acme.door.in == 1 })
	reloaded := make(chan string, 1)
	go func() {
		status, text := r.reconfigure(t, "")
		reloaded <- fmt.Sprint(status, text)
	}()
	until(t, "nobody else comes in", func() bool { acme.door.mu.Lock(); defer acme.door.mu.Unlock(); return acme.door.shut })
	if status, text := r.as(t, "acme", "GET", "/sb/v1/logs", ""); status != http.StatusServiceUnavailable && status != http.StatusNotFound {
		t.Errorf("%d %s", status, text)
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("%s", answer)
	}
	if text := <-reloaded; !strings.HasPrefix(text, "200") {
		t.Error(text)
	}
	r.wantReload(t, "{name: acme}")
	if text := r.logsOf(t, "acme"); !strings.Contains(text, "on its way") {
		t.Error(text)
	}
}

func TestADoorIsClosedBehindTheLast(t *testing.T) {
	var d door
	for range 2 {
		if !d.enter() {
			t.Fatal("an open door lets nobody in")
		}
	}
	ctx, release := d.hold(context.Background())
	defer release()
	_, gone := d.hold(context.Background())
	gone()
	empty := d.close()
	if d.enter() {
		t.Error("a shut door lets somebody in")
	}
	d.leave()
	select {
	case <-empty:
		t.Error("empty with one in it")
	default:
	}
	if d.clear(); ctx.Err() == nil {
		t.Error("who is in was not asked to leave")
	}
	d.leave()
	<-empty
	<-d.close()
}

// Each tenant has hooks of its own, with secrets of its own, and no name of a tenant can be told from none.
func TestHooksAreATenantsOwn(t *testing.T) {
	secret := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := start(t, map[string]string{"signalbox.yml": fmt.Sprintf(`
hooks: {argo: {enabled: true, token_file: %q}}
tenants: [{name: acme, hooks: {argo: {enabled: true, token_file: %q}}}, {name: blue}]
`, secret("of-default"), secret("of-acme"))})
	mark := func(path, token string) int {
		status, _ := r.do(t, "POST", path, "application/json", `{"service":"edge","environment":"prod","version":"1.2.3"}`, "Authorization", "Bearer "+token)
		return status
	}
	const acme, blue, nobody = "/sb/v1/tenants/acme/hooks/argo/verdict", "/sb/v1/tenants/blue/hooks/argo/verdict", "/sb/v1/tenants/nobody/hooks/argo/verdict"
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{acme, "of-acme", http.StatusOK},
		{acme, "of-default", http.StatusUnauthorized},
		{acme, "", http.StatusUnauthorized},
		{"/sb/v1/hooks/argo/verdict", "of-default", http.StatusOK},
		{"/sb/v1/tenants/default/hooks/argo/verdict", "of-default", http.StatusOK},
		{"/sb/v1/hooks/argo/verdict", "of-acme", http.StatusUnauthorized},
		{blue, "of-acme", http.StatusNotFound},
		{nobody, "of-acme", http.StatusNotFound},
	} {
		if got := mark(c.path, c.token); got != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.token, got, c.want)
		}
	}
	for tenant, want := range map[string]int{"": 2, "acme": 1, "blue": 0} {
		_, text := r.as(t, tenant, "GET", "/sb/v1/gate/decisions?start=now-1h", "")
		if got := strings.Count(text, `"id"`); got != want {
			t.Errorf("%s has %d decisions, want %d: %s", tenant, got, want, text)
		}
	}
	if _, text := r.as(t, "acme", "GET", "/sb/v1/status", ""); strings.Contains(text, "of-") {
		t.Error("a secret is shown")
	}
}
