// Package hands does what people ask for from where they were told: a button in a chat acknowledges a page, or keeps its alerts quiet.
//
// It knows no service. In: what an Intake understood. Out: acknowledgements, silences of the alert pipeline in the name of the
// person, and rows of the audit log. Invariant: a silence is made with the permissions of the person, as if they had made it
// themselves, and of nobody else. Start reading at Hands.
package hands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Pages are those of a tenant.
type Pages interface {
	Page(ctx context.Context, id string) (model.Page, error)
}

// Person is somebody of oncall_files.
type Person struct {
	Name, Email string
	Addresses   map[string][]string // where they are told, by kind of channel
}

// Deps are what hands work with.
type Deps struct {
	Tenant string
	Pages  Pages
	// Acknowledge takes a page, and has everybody hear of it who was told.
	Acknowledge func(ctx context.Context, page, by, how string) (model.Page, error)
	// Report says what became of a message after its service took it.
	Report func(ctx context.Context, page string, r notify.Report) error
	// Alertmanager is the API of the alert pipeline.
	Alertmanager http.Handler
	// People are those of oncall_files.
	People func() []Person
	// As is what a person may; an error says, in words for them, that they may not, and what to do.
	As func(person string, needs access.Permission) (access.Access, error)
	// Record keeps what was done for the audit log.
	Record func(context.Context, model.AuditEntry)
	Now    func() time.Time
}

// Hands are notify.Hands. Safe for concurrent use.
type Hands struct{ deps Deps }

// New makes Hands.
func New(d Deps) *Hands { return &Hands{d} }

// Person implements notify.Hands: by the name that the configuration says, by where somebody is told, or by a confirmed e-mail. What two people have
// is nobody's.
func (h *Hands) Person(_ context.Context, who notify.Presser) string {
	var found []string
	for _, p := range h.deps.People() {
		switch {
		case who.Name != "" && p.Name == who.Name:
			return p.Name
		case who.Name != "":
		case who.ID != "" && slices.Contains(p.Addresses[who.Channel], who.ID), who.Email != "" && strings.EqualFold(p.Email, who.Email):
			found = append(found, p.Name)
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// Acknowledge implements notify.Answers. A page that is over is taken by nobody any more.
func (h *Hands) Acknowledge(ctx context.Context, id, by, how string) (model.Page, error) {
	page, err := h.deps.Pages.Page(ctx, id)
	if err == nil && (page.AckedBy != "" || page.Status != "firing") {
		return page, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // drills are not among the pages
		return page, err
	}
	return h.deps.Acknowledge(ctx, id, by, how)
}

// Report implements notify.Hands.
func (h *Hands) Report(ctx context.Context, page string, r notify.Report) error {
	return h.deps.Report(ctx, page, r)
}

func (h *Hands) entry(by, action, subject, how string) model.AuditEntry {
	return model.AuditEntry{Time: h.deps.Now().UTC(), Actor: by, Action: action, Tenant: h.deps.Tenant, Subject: subject, Details: map[string]string{"from": how}}
}

// refusal is what the person must change.
type refusal struct{ error }

// BadRequest says whose fault it is.
func (refusal) BadRequest() {}

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// Silence implements notify.Hands: it silences by the labels that the firing alerts of a page have in common.
func (h *Hands) Silence(ctx context.Context, id, person, how string, d time.Duration) (string, error) {
	page, err := h.deps.Pages.Page(ctx, id)
	if err != nil {
		return "", err
	}
	labels := common(page)
	if len(labels) == 0 {
		return "", refuse("no alert of the page fires, or they have no label in common; silence them one by one in Signalbox")
	}
	who, err := h.deps.As(person, access.SilencesWrite)
	if err != nil {
		return "", refuse("%w", err)
	}
	now := h.deps.Now().UTC()
	silence := map[string]any{
		"matchers": matchers(labels), "startsAt": now.Format(time.RFC3339), "endsAt": now.Add(d).Format(time.RFC3339),
		"createdBy": person, "comment": "from " + how + ", for the page " + page.ID,
	}
	made, err := h.ask(access.With(ctx, &who), silence)
	if err != nil {
		return "", err
	}
	entry := h.entry(person, "silence.create", made, how)
	entry.Details["page"] = page.ID
	h.deps.Record(ctx, entry)
	return fmt.Sprintf("%s until %s", shown(labels), now.Add(d).Format("15:04 UTC")), nil
}

// common are the labels that all firing alerts of a page have with the same value.
func common(page model.Page) map[string]string {
	var out map[string]string
	for _, a := range page.Alerts {
		if a.Status != "firing" {
			continue
		}
		if out == nil {
			out = map[string]string{}
			for k, v := range a.Labels {
				out[k] = v
			}
		}
		for k, v := range out {
			if a.Labels[k] != v || v == "" {
				delete(out, k)
			}
		}
	}
	return out
}

func names(labels map[string]string) []string {
	var out []string
	for k := range labels {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func matchers(labels map[string]string) (out []map[string]any) {
	for _, k := range names(labels) {
		out = append(out, map[string]any{"name": k, "value": labels[k], "isRegex": false, "isEqual": true})
	}
	return out
}

func shown(labels map[string]string) string {
	var parts []string
	for _, k := range names(labels) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, labels[k]))
	}
	return strings.Join(parts, ", ")
}

// ask makes a silence by way of the API, so that what holds for everybody holds here.
func (h *Hands) ask(ctx context.Context, silence map[string]any) (id string, err error) {
	body, err := json.Marshal(silence)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://signalbox/api/v2/silences", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	a := &answer{header: http.Header{}, status: http.StatusOK}
	h.deps.Alertmanager.ServeHTTP(a, r)
	said := strings.TrimSpace(a.body.String())
	if a.status >= http.StatusInternalServerError {
		return "", errors.New("silence: " + said)
	}
	if a.status != http.StatusOK {
		return "", refuse("%s", said)
	}
	var made struct {
		ID string `json:"silenceID"`
	}
	err = json.NewDecoder(io.LimitReader(&a.body, 64<<10)).Decode(&made)
	return made.ID, err
}

// answer keeps what a handler says.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
