package app

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// unaudited says of which requests nothing is noted one by one, and why; "" is noted.
func unaudited(e front.Route) string {
	method, path, _ := strings.Cut(e.Pattern, " ")
	switch e.Permission {
	case access.Open:
		return "anybody may ask it, and learns nothing of what is stored"
	case access.StatusRead:
		return "what Signalbox says of itself, which pages ask all the time"
	case access.TelemetryWrite, access.AlertsSend:
		return "what senders send is summed by minute"
	case access.TokensOwn, access.AuthManage, access.Anybody:
		if method == http.MethodDelete && path == "/sb/v1/sessions" {
			return "its own entry, session.end, names the person and no path"
		}
		if method == http.MethodGet && path != "/sb/v1/audit/review" {
			return "who looks at themselves, or at who there is, changes nothing and reads nothing of what is stored"
		}
	}
	return ""
}

// Every endpoint that reads or changes something leaves exactly one entry that says who, for which tenant, what was asked and
// what came of it; the others stand above with the reason.
func TestEveryRequestLeavesOneEntry(t *testing.T) {
	g := startGuarded(t, nil)
	token := g.token(t, policy.Admin)
	id, _, _ := strings.Cut(strings.TrimPrefix(token, "sbx_"), "_")
	wild := regexp.MustCompile(`\{[^}]*\}`)
	type asked struct {
		front.Route
		status int
	}
	requests := map[string]asked{}
	last := g.home.audit.Kept()
	for i, e := range g.endpoints() {
		mark := fmt.Sprintf("mark%dx", i)
		method, path, _ := strings.Cut(wild.ReplaceAllString(e.Pattern, mark), " ")
		if strings.HasSuffix(path, "/") && path != "/" && e.Permission != access.AdminProfile {
			path += mark
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if strings.HasSuffix(path, "/tail") || strings.HasSuffix(path, "/live") {
			cancel() // its end is what is noted; it is asked below
			continue
		}
		req, err := http.NewRequestWithContext(ctx, method, g.Addresses().Web+path+"?mark="+mark, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		cancel()
		requests[mark] = asked{e, resp.StatusCode}
	}
	entries := map[string][]model.AuditEntry{}
	until(t, "the last entry is written", func() bool {
		list, err := g.home.audit.AuditEntries(t.Context(), store.AuditQuery{After: last, Text: "mark", Limit: 10_000, Start: time.Now().Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		clear(entries)
		for _, e := range list {
			if m := regexp.MustCompile(`mark\d+x`).FindString(e.Subject + " " + e.Details["query"]); m != "" {
				entries[m] = append(entries[m], e)
			}
		}
		missing := 0
		for mark, r := range requests {
			if unaudited(r.Route) == "" && len(entries[mark]) == 0 {
				missing++
			}
		}
		return missing == 0
	})
	noted := 0
	for mark, r := range requests {
		list := entries[mark]
		if reason := unaudited(r.Route); reason != "" {
			if len(list) > 0 && r.status < http.StatusBadRequest {
				t.Errorf("%s: %d entries, though %s", r.Pattern, len(list), reason)
			}
			continue
		}
		if noted++; len(list) != 1 {
			t.Errorf("%s (%s), answered %d: %d entries: %v", r.Pattern, r.Permission, r.status, len(list), list)
			continue
		}
		e := list[0]
		if e.Actor != "token:"+id || e.Tenant != model.DefaultTenant || e.Details["status"] != fmt.Sprint(r.status) || e.Details["remote"] == "" || e.Details["query"] == "" || e.Details["bytes"] == "" ||
			r.status == http.StatusOK && strings.HasPrefix(e.Action, "query.") && strings.Contains(r.Pattern, "/sb/v1/") && e.Details["rows"] == "" {
			t.Errorf("%s, answered %d: %+v", r.Pattern, r.status, e)
		}
	}
	// What never ends is noted when its reader goes.
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.Addresses().Web+"/sb/v1/logs/tail?q=service:edge", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	leave()
	_ = resp.Body.Close()
	until(t, "the tail is noted", func() bool {
		list, err := g.home.audit.AuditEntries(t.Context(), store.AuditQuery{After: last, Subject: "/sb/v1/logs/tail"})
		return err == nil && len(list) == 1 && list[0].Details["rows"] == "0" && strings.Contains(list[0].Details["query"], "service:edge")
	})
	if noted < 80 {
		t.Errorf("only %d endpoints", noted)
	}
}
