package audit

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Log is where entries go; store/auditlog is one.
type Log interface {
	// Note takes an entry that nobody waits for.
	Note(model.AuditEntry)
	// Audit answers when the entry is on the disk.
	Audit(context.Context, model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what a Recorder is given.
type Deps struct {
	Logger *slog.Logger
	Log    Log
	Now    func() time.Time // time.Now by default
}

// Recorder notes requests. It is safe for concurrent use; Run must run.
type Recorder struct {
	log  *slog.Logger
	to   Log
	now  func() time.Time
	mu   sync.Mutex
	sums map[sumKey]*sum
}

// New makes a Recorder.
func New(d Deps) *Recorder {
	r := &Recorder{log: instrument.Logger(d.Logger), to: d.Log, now: d.Now, sums: map[sumKey]*sum{}}
	if r.now == nil {
		r.now = time.Now
	}
	return r
}

// how a permission's requests are noted.
type how int

const (
	nothing how = iota
	query       // an entry each, in the background
	summed      // a sum by minute
	change      // an entry each, on the disk before the next request of the connection
	noted       // by the room that changes something; here only where it failed
)

// howOf says how the requests that need a permission are noted.
func howOf(p access.Permission, method string) how {
	switch p {
	case access.Open, access.Undeclared, access.StatusRead:
		return nothing
	case access.TelemetryWrite, access.AlertsSend:
		return summed
	case access.DeploysWrite, access.GateAsk, access.GateOverride, access.SLOsCorrect, access.PagesAck, access.OnCallSwap, access.IncidentsWrite, access.StatusPagesPublish, access.RemediesRun, access.RemediesStart, access.RemediesSend:
		return noted
	case access.TokensOwn, access.AuthManage, access.Anybody:
		if reads(method) {
			return nothing
		}
		return noted
	case access.SilencesWrite, access.AdminReload, access.AdminStorage, access.AdminProfile:
		return change
	}
	return query
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// innerPort is where Signalbox asks itself.
const innerPort = "inner"

// Ended notes a request that was answered. It costs the request some microseconds, but for changes, which wait for the disk.
func (r *Recorder) Ended(e front.Ended) {
	if e.Mount.Port == innerPort || e.Permission == access.Undeclared {
		return
	}
	for _, one := range e.Access.Across { // each tenant reads its own entries
		of := e
		of.Access = one
		r.Ended(of)
	}
	if len(e.Access.Across) > 0 {
		return
	}
	if e.Permission == access.Open { // anybody may flood it
		if notes := e.Access.Notes.All(); notes[access.NoteAction] != "" {
			r.add(sumKey{notes[access.NoteAction], actorOf(e), e.Access.Tenant, notes[access.NoteSubject], e.Access.Remote}, e)
		}
		return
	}
	if e.Refusal != nil {
		r.add(sumKey{"access.refused", actorOf(e), e.Access.Tenant, string(e.Permission) + " " + e.Refusal.Reason, e.Access.Remote}, e)
		return
	}
	switch howOf(e.Permission, e.Request.Method) {
	case nothing:
		if action := e.Access.Notes.All()[access.NoteAction]; action != "" { // the handler says that it is more than usual
			r.to.Note(r.entry(e, action))
		}
	case summed:
		r.add(sumKey{action: string(e.Permission), actor: actorOf(e), tenant: e.Access.Tenant, subject: e.Mount.Pattern}, e)
	case query:
		r.to.Note(r.entry(e, "query."+strings.TrimSuffix(string(e.Permission), ".read")))
	case noted:
		if e.Status >= http.StatusBadRequest {
			r.to.Note(r.entry(e, string(e.Permission)+".failed"))
		}
	case change:
		if _, err := r.to.Audit(context.WithoutCancel(e.Request.Context()), r.entry(e, string(e.Permission))); err != nil {
			r.log.Error("audit entry not written", "action", e.Permission, "err", err)
		}
	}
}

// entry is what is said of one request.
func (r *Recorder) entry(e front.Ended, action string) model.AuditEntry {
	notes := e.Access.Notes.All()
	if a := notes[access.NoteAction]; a != "" {
		action = a
	}
	details := map[string]string{
		"status": strconv.Itoa(e.Status), "method": e.Request.Method, "remote": e.Access.Remote,
		"bytes":       strconv.FormatInt(e.Bytes, 10),
		"duration_ms": strconv.FormatFloat(float64(r.now().Sub(e.Began).Microseconds())/1000, 'f', -1, 64),
	}
	for name, v := range map[string]string{
		"query": redact.Text(cmp.Or(notes[access.NoteQuery], parameters(e.Request))), "rows": notes[access.NoteRows], "cost": notes[access.NoteCost], "unmasked": notes[access.NoteUnmasked],
		"name": e.Access.Name, "kind": string(e.Access.Kind),
	} {
		if v != "" {
			details[name] = v
		}
	}
	return model.AuditEntry{
		Time: e.Began.UTC(), Actor: actorOf(e), Action: action, Tenant: e.Access.Tenant, Subject: e.Request.URL.Path, Details: details,
	}
}

// parameters is the text of a request whose handler says none: its parameters, as they read best.
func parameters(r *http.Request) string {
	const anywhere = "http://signalbox/?" // secrets are known by the names of a URL's parameters
	raw := strings.TrimPrefix(redact.Text(anywhere+r.URL.RawQuery), anywhere)
	if text, err := url.QueryUnescape(raw); err == nil {
		return text
	}
	return raw
}

// actorOf names who asked: who proved it, or nobody, as everybody is where authentication is off.
func actorOf(e front.Ended) string {
	switch {
	case e.Access.Subject != "":
		return e.Access.Subject
	case e.Access.Kind == access.Nobody:
		return string(access.Nobody)
	}
	return "unknown"
}
