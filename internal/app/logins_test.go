package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/model"
)

// entries are those of the audit log as an administrator reads it, the oldest first.
func (g *guarded) entries(t *testing.T) (list []model.AuditEntry, text string) {
	t.Helper()
	resp := g.ask(t, "GET", "/sb/v1/audit?limit=1000", "", "Cookie", g.cookie)
	var got struct{ Entries []model.AuditEntry }
	if err := json.Unmarshal([]byte(resp.text), &got); err != nil || resp.status != http.StatusOK {
		t.Fatalf("audit: %d %s", resp.status, resp.text)
	}
	slices.Reverse(got.Entries)
	return got.Entries, resp.text
}

// Whoever comes in, fails to or leaves, and what changes who may, is in the audit log: who, from where, to what, once, and
// no secret.
func TestWhoComesInIsInTheAuditLog(t *testing.T) {
	g := startGuarded(t, nil)
	const password, wrong = "battery horse correct", "a wrong password"
	must := func(status int, method, path, body string, header ...string) reply {
		t.Helper()
		r := g.ask(t, method, path, body, header...)
		if r.status != status {
			t.Fatalf("%s %s: %d %s", method, path, r.status, r.text)
		}
		return r
	}
	var link struct {
		Link string `json:"link"`
		Path string `json:"path"`
	}
	added := g.ask(t, "POST", "/sb/v1/users", `{"name":"ann","groups":["local:oncall"]}`, "Cookie", g.cookie)
	if err := json.Unmarshal([]byte(added.text), &link); err != nil || added.status/100 != 2 {
		t.Fatalf("%d %s", added.status, added.text)
	}
	_, secret, ok := strings.Cut(link.Link+link.Path, "#")
	if !ok {
		t.Fatalf("no link: %s", added.text)
	}
	must(200, "POST", "/sb/v1/password", fmt.Sprintf(`{"link":%q,"password":%q}`, secret, password))
	must(401, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"ann","password":%q}`, wrong))
	must(401, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":%q,"password":%q}`, password, wrong)) // typed in the wrong place
	in := must(200, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"ann","password":%q}`, password))
	cookie := in.cookies[len(in.cookies)-1]
	token := g.token(t, policy.Viewer)
	id, _, _ := strings.Cut(strings.TrimPrefix(token, "sbx_"), "_")
	must(200, "DELETE", "/sb/v1/admin/tokens/"+id, "", "Cookie", g.cookie)
	must(200, "POST", "/sb/v1/logout", "", "Cookie", cookie.Name+"="+cookie.Value)
	must(200, "DELETE", "/sb/v1/users/ann", "", "Cookie", g.cookie)

	entries, text := g.entries(t)
	var got []string
	for _, e := range entries {
		if slices.Contains([]string{"audit.continued", "evidence.begins"}, e.Action) || strings.HasPrefix(e.Action, "query.") {
			continue
		}
		got = append(got, strings.ReplaceAll(fmt.Sprint(e.Actor, " ", e.Action, " ", e.Subject), id, "ID"))
		if e.Details["remote"] != "127.0.0.1" {
			t.Errorf("it says not from where: %+v", e)
		}
	}
	want := []string{
		"user:root user.first user:root", "user:root login user:root",
		"user:root user.add user:ann", "user:ann user.password user:ann", "user:ann login user:ann",
		"nobody login.refused user:ann", "nobody login.refused user", "user:ann login user:ann",
		"user:root token.make token:ID", "user:root token.revoke token:ID", "user:ann logout user:ann", "user:root user.delete user:ann",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for name, s := range map[string]string{
		"the password": password, "a wrong password": wrong, "the link": secret, "the token": token, "the cookie": cookie.Value,
		"the administrator's cookie": g.cookie[strings.Index(g.cookie, "=")+1:],
	} {
		if strings.Contains(text, s) {
			t.Errorf("%s is in the audit log", name)
		}
	}
}
