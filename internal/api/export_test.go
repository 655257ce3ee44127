package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestTheAuditLogIsExported(t *testing.T) {
	f := &rooms{audited: []model.AuditEntry{
		{ID: 1, Time: now, Actor: "ann", Action: "page.ack", Subject: "p1"},
		{ID: 2, Time: now, Actor: "=cmd()", Action: "gate.override", Subject: `a "b", c`, Details: map[string]string{"k": "v"}},
	}}
	ask := func(target string) *httptest.ResponseRecorder { return get(newAPI(t, f), target) }
	w := ask("/sb/v1/audit/export?actor=ann&start=now-90d")
	if got := w.Body.String(); w.Code != 200 || got != "{\"entry\":\"page.ack\"}\n{\"entry\":\"gate.override\"}\n" || w.Header().Get("Content-Type") != "application/jsonl" {
		t.Errorf("%d %q %v", w.Code, got, w.Header())
	}
	if q := f.auditQuery; q.Actor != "ann" || q.Start.IsZero() || !q.End.IsZero() || q.Limit != 0 {
		t.Errorf("%+v", q)
	}
	w = ask("/sb/v1/audit/export?format=csv")
	if got := w.Body.String(); !strings.HasPrefix(got, "id,time,actor,") || !strings.Contains(got, `,'=cmd(),gate.override,,"a ""b"", c","{""k"":""v""}"`) || !f.auditQuery.Start.IsZero() {
		t.Errorf("%q", got)
	}
	for _, target := range []string{"/sb/v1/audit/export?format=xml", "/sb/v1/audit/export?start=yesterdayish"} {
		if w := ask(target); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	f.err = errors.New("the disk is gone")
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // it is compared so by net/http
			t.Errorf("half an export ends as a whole one: %v", v)
		}
	}()
	ask("/sb/v1/audit/export")
}
