// Package ack serves the page behind the link of a message, by which whoever got it acknowledges from a phone, without a login.
//
// A GET shows what would be acknowledged, as whom, and changes nothing: programs that scan mail and make previews open every
// address. A POST, which needs the same link, acknowledges, once. The link is the proof: it is signed, bound to one page of one tenant and
// to whom it was sent, and no other site can know it. It works without scripts.
//
// In: links of internal/auth/accounts/links. Out: HTML, acknowledgements and rows of the audit log. Invariants: what is not
// signed by us, is too old or was used shows nothing of any page, and all three in the same words; a link is neither logged nor
// handed on (Referrer-Policy), nor kept by a cache; who tries many wrong ones waits, who has a right one never does.
//
// Start reading at Pages.ServePage.
package ack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/links"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/throttle"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Store has the pages of a tenant.
type Store interface {
	Page(ctx context.Context, id string) (model.Page, error)
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// Deps are what the pages need from their surroundings.
type Deps struct {
	// External is the address at which browsers reach Signalbox.
	External   *url.URL
	Now        func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Links      *links.Links
	// Store is that of a tenant until done is called; false if it is not served.
	Store func(tenant string) (st Store, done func(), ok bool)
	// Record keeps what was done for the audit log.
	Record func(context.Context, model.AuditEntry)
	// Limits are of wrong links.
	Limits throttle.Config
}

// Pages serve links. Safe for concurrent use.
type Pages struct {
	deps   Deps
	wrong  *throttle.Limiter
	opened *prometheus.CounterVec
}

// Mount makes the pages reachable, for everybody: the link is the proof.
func Mount(port *front.Port, deps Deps) error {
	p, err := New(deps)
	if err != nil {
		return err
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		port.Mount(method+" /"+path, front.Mount{Handler: http.HandlerFunc(p.ServePage), Needs: front.Always(access.Open), MaxBody: maxBody})
	}
	return nil
}

const maxBody = 16 << 10 // of a form

// New makes Pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{deps: deps, opened: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_ack_links_total", Help: "Links to acknowledge that were opened, by outcome (shown, acknowledged, refused, throttled, failed).",
	}, []string{"outcome"})}
	var err error
	if p.wrong, err = throttle.New(deps.Limits, deps.Now, nil); err != nil { // counted by outcome
		return nil, err
	}
	return p, instrument.Register(deps.Registerer, "link", p.opened)
}

// path is where links lead to; parameter is named so that whatever masks secrets in addresses knows this one.
const (
	path      = "auth/page"
	parameter = "token"
)

// Linker makes the link of a page for whom a message goes to.
type Linker = func(page model.Page, to notify.Recipient) (string, error)

// To makes links of a tenant's pages.
func To(l *links.Links, external *url.URL, tenant string) Linker {
	return func(page model.Page, to notify.Recipient) (string, error) {
		text, err := l.Sign(links.Claim{Purpose: links.Acknowledge, Thing: page.ID, Tenant: tenant, Subject: subject(to), Name: name(to)})
		if err != nil {
			return "", err
		}
		u := external.JoinPath(path)
		u.RawQuery = url.Values{parameter: {text}}.Encode()
		return u.String(), nil
	}
}

// subject is how the audit log names whoever has the link: a person by their address, otherwise the readers of a channel.
func subject(to notify.Recipient) string {
	if to.Address != "" {
		return "link:" + to.Channel + "/" + to.Address
	}
	return "link:" + to.Channel + "/receiver/" + to.Receiver
}

func name(to notify.Recipient) string {
	if to.Address != "" {
		return to.Address
	}
	return "whoever reads the " + to.Channel + " messages of " + to.Receiver
}

// ServePage answers GET and POST of a link.
func (p *Pages) ServePage(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get(parameter)
	if r.Method == http.MethodPost {
		text = r.PostFormValue(parameter)
	}
	claim, err := p.look(r, text)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	st, done, ok := p.deps.Store(claim.Tenant)
	if !ok {
		p.fail(w, r, errors.New("the tenant "+claim.Tenant+" is not served"))
		return
	}
	defer done()
	page, err := st.Page(r.Context(), claim.Thing)
	if err == nil && r.Method == http.MethodPost && page.AckedBy == "" && page.Status == "firing" {
		p.acknowledge(w, r, st, text, page)
		return
	}
	if err != nil {
		p.failOrGone(w, r, err)
		return
	}
	p.opened.WithLabelValues("shown").Inc()
	p.show(w, http.StatusOK, p.view(page, claim, text))
}

// look believes a link or not. Only who shows a wrong one is counted, and waits.
func (p *Pages) look(r *http.Request, text string) (links.Claim, error) {
	claim, err := p.deps.Links.Look(text, links.Acknowledge)
	if err == nil {
		return claim, nil
	}
	if wait, _ := p.wrong.Try("link", front.RemoteOf(r), true); wait > 0 {
		return claim, &login.Throttled{RetryAfter: wait}
	}
	return claim, err
}

// acknowledge uses the link. Whoever goes offline meanwhile has acknowledged nevertheless.
func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request, st Store, text string, was model.Page) {
	ctx := context.WithoutCancel(r.Context())
	claim, err := p.deps.Links.Use(ctx, text, links.Acknowledge)
	if errors.Is(err, login.ErrLink) {
		p.refuse(w, r, err)
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	at := p.deps.Now()
	page, err := st.AckPage(ctx, was.ID, claim.Subject, at)
	if err != nil {
		p.failOrGone(w, r, err)
		return
	}
	if page.AckedBy == claim.Subject {
		id := claim.Identity()
		entry := model.AuditEntry{
			Time: p.deps.Now().UTC(), Actor: id.Subject, Action: "page.ack", Tenant: claim.Tenant, Subject: page.ID,
			Details: map[string]string{"name": id.Name, "kind": string(id.Kind), "link": id.Session, "remote": front.RemoteOf(r)},
		}
		evidence.NoteAck(&entry, page, at)
		p.deps.Record(ctx, entry)
	}
	p.opened.WithLabelValues("acknowledged").Inc()
	p.show(w, http.StatusOK, p.view(page, claim, ""))
}

func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	access.Note(r.Context(), access.NoteAction, "page.ack.refused") // floods are sums
	access.Note(r.Context(), access.NoteSubject, "link")
	said := login.Says(err)
	outcome, status := "refused", http.StatusGone
	if said.RetryAfter > 0 {
		outcome, status = "throttled", said.Status
		w.Header().Set("Retry-After", strconv.Itoa(said.RetryAfter))
	}
	p.opened.WithLabelValues(outcome).Inc()
	p.show(w, status, view{Heading: "Nothing was acknowledged", Text: said.Message, Cure: "Open the newest message of this page, or log in to Signalbox and acknowledge there."})
}

func (p *Pages) failOrGone(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) {
		p.refuse(w, r, login.ErrLink)
		return
	}
	p.fail(w, r, err)
}

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.deps.Logger.ErrorContext(r.Context(), "a link to acknowledge could not be served", "err", err)
	p.opened.WithLabelValues("failed").Inc()
	w.Header().Set("Retry-After", "10")
	p.show(w, http.StatusServiceUnavailable, view{
		Heading: "Not acknowledged", Text: "Signalbox could not do this now.", Cure: "Try again in a moment. If it stays, acknowledge with the newest message of this page, or log in.",
	})
}
