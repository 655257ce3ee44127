package app

import (
	"net/http"
	"strings"
	"testing"
)

const statusPages = `
status_pages:
- {name: broker, title: The broker, public: true, url: "http://status.localhost", components: [{id: orders, title: Orders, services: [secret-orders], slos: [secret-slo]}]}
- {name: inside, title: The inside, components: [{id: db, title: Database of ours}]}
`

// Readers without a login see what is public and nothing else: no other page, no name of ours, no other tenant.
func TestStatusPagesShowWhatIsPublic(t *testing.T) {
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "status: {listen_address: 127.0.0.1:0}\nstatus_page_files: [p.yml]\ntenants: [{name: acme-7, status_page_files: [a.yml]}]\n",
		"p.yml":         statusPages, "a.yml": "status_pages: [{name: shop, title: The shop, public: true, components: [{id: cart, title: Cart}]}, {name: broker, title: Not ours, components: [{id: x, title: X}]}]\n",
	})
	own := g.Addresses().Status
	root := []string{"Cookie", g.cookie}
	if got := g.ask(t, "POST", "/sb/v1/status-pages/posts", `{"pages":["broker"],"incident":"INC-4711","title":"Orders are slow","text":"We look.","components":[{"component":"orders","state":"partial_outage"}]}`, root...); got.status != http.StatusCreated {
		t.Fatal(got.status, got.text)
	}
	if got := g.ask(t, "POST", "/sb/v1/status-pages/posts", `{"pages":["inside"],"title":"Disks of db-7","text":"Kim looks."}`, root...); got.status != http.StatusCreated {
		t.Fatal(got.status, got.text)
	}
	for _, at := range []string{"/status/broker/", "http://" + own + "/status/broker/"} {
		for _, file := range []string{"", "history/", "api/v2/summary.json", "api/v2/incidents.json", "history.atom", "history.rss", "badge.svg"} {
			got := g.ask(t, "GET", at+file, "")
			if got.status != http.StatusOK || got.header.Get("ETag") == "" || got.header.Get("Set-Cookie") != "" || !strings.HasPrefix(got.header.Get("Cache-Control"), "public, max-age=30") {
				t.Errorf("%s%s: %d %v", at, file, got.status, got.header)
			}
			if file != "badge.svg" && !strings.Contains(got.text, "Orders are slow") {
				t.Errorf("%s%s does not tell it: %s", at, file, got.text)
			}
			for _, secret := range []string{"INC-4711", "user:root", "secret", "inside", "Database", "db-7", "acme-7", "The shop", "default"} {
				if strings.Contains(strings.ReplaceAll(got.text, "default-src", ""), secret) {
					t.Errorf("%s%s tells %q", at, file, secret)
				}
			}
			if again := g.ask(t, "GET", at+file, "", "If-None-Match", got.header.Get("ETag")); again.status != http.StatusNotModified {
				t.Errorf("%s%s again: %d", at, file, again.status)
			}
		}
	}
	for host, status := range map[string]int{"status.localhost": http.StatusOK, "other.localhost": http.StatusNotFound} {
		req, err := http.NewRequest(http.MethodGet, "http://"+own+"/history/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%s: %d", host, resp.StatusCode)
		}
	}
	got := g.ask(t, "GET", "/status/broker/", "")
	if policy := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	if got := g.ask(t, "GET", "/status/acme-7.shop/", ""); got.status != http.StatusOK || !strings.Contains(got.text, "The shop") {
		t.Errorf("the page of another tenant: %d %s", got.status, got.text)
	}
	// What is not public and what is not there are answered alike, whoever's it is.
	for _, path := range []string{"/status/inside/", "/status/nothing/", "/status/acme-7.broker/", "/status/other.shop/", "/status/shop/", "/status/", "/status/inside/api/v2/summary.json"} {
		if got := g.ask(t, "GET", path, ""); got.status != http.StatusUnauthorized || strings.Contains(got.text, "inside,") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		if got := g.ask(t, "GET", "http://"+own+path, ""); got.status != http.StatusUnauthorized {
			t.Errorf("%s on the listener of its own: %d", path, got.status)
		}
	}
	if got := g.ask(t, "GET", "/status/inside/", "", root...); got.status != http.StatusOK || !strings.Contains(got.text, "Disks of db-7") || strings.Contains(got.header.Get("Cache-Control"), "public") {
		t.Errorf("the page inside: %d %v %s", got.status, got.header, got.text)
	}
	if got := g.ask(t, "POST", "/status/broker/", "x"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("a POST: %d %s", got.status, got.text)
	}
	// The listener serves nothing else.
	for _, path := range []string{"/sb/v1/status", "/metrics", "/api/v1/query?query=1", "/", "/-/ready"} {
		if got := g.ask(t, "GET", "http://"+own+path, "", root...); got.status != http.StatusNotFound {
			t.Errorf("%s on the listener of its own: %d", path, got.status)
		}
	}
	// Who reads may not publish, and who is bound to namespaces sees nothing that is not public.
	viewer := []string{"Authorization", "Bearer " + g.token(t, "viewer")}
	if got := g.ask(t, "POST", "/sb/v1/status-pages/posts", `{"pages":["broker"],"title":"t","text":"t"}`, viewer...); got.status != http.StatusForbidden {
		t.Errorf("a viewer published: %d", got.status)
	}
	if got := g.ask(t, "GET", "/sb/v1/status-pages", "", viewer...); got.status != http.StatusOK || !strings.Contains(got.text, "/status/inside/") {
		t.Errorf("%d %s", got.status, got.text)
	}
	var text string
	idIn("text", &text)(g.ask(t, "POST", "/sb/v1/tokens", `{"name":"pay","service":true,"grants":[{"role":"viewer","namespaces":["pay"]}]}`, root...).text)
	bound := []string{"Authorization", "Bearer " + text}
	for _, path := range []string{"/sb/v1/status-pages", "/status/inside/"} {
		if got := g.ask(t, "GET", path, "", bound...); got.status != http.StatusForbidden {
			t.Errorf("%s for who is bound to namespaces: %d %s", path, got.status, got.text)
		}
	}
}
