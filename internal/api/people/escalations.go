package people

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/contacts"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
)

// Escalation brings pages to people; escalation.Engine does.
type Escalation interface {
	PoliciesInForce() escalation.PoliciesResponse
	OfPage(ctx context.Context, id string) (escalation.View, error)
	OfDrill(ctx context.Context, id string) (escalation.View, error)
	Paged(ctx context.Context, from, to time.Time) ([]oncall.Paged, error)
	Test(ctx context.Context, policy, person, level, by string) (string, error)
	Acknowledge(ctx context.Context, page, by, how string) (model.Page, error)
}

// Contacts verifies contacts; contacts.Verifier does.
type Contacts interface {
	Contacts(ctx context.Context) ([]contacts.ContactState, error)
	Coverage(ctx context.Context, room contacts.Room, from, to time.Time) ([]oncall.LevelCoverage, error)
	Send(ctx context.Context, person, contact string) error
	Confirm(ctx context.Context, person, contact, code, by string) (contacts.ContactState, error)
}

// coverage is that of the schedules and, of all together, of the levels.
func (h *handlers) coverage(ctx context.Context, schedule string, from, to time.Time) (oncall.Coverage, error) {
	out, err := h.deps.OnCall.Coverage(ctx, schedule, from, to)
	room, ok := h.deps.OnCall.(contacts.Room)
	if err != nil || schedule != "" || h.deps.Contacts == nil || !ok {
		return out, err
	}
	if out.Levels, err = h.deps.Contacts.Coverage(ctx, room, from, to); err != nil {
		return out, err
	}
	out.Covered = out.Covered && !slices.ContainsFunc(out.Levels, func(l oncall.LevelCoverage) bool { return len(l.Gaps) > 0 })
	return out, nil
}

type pageInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (h *handlers) escalating(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{ID: id, Method: method, Path: path, Tag: "oncall", Permission: p, Summary: summary, Served: h.deps.Escalation != nil, Room: "escalation"}
}

func (h *handlers) registerEscalations() {
	operation.Register(h.Registry, h.escalating("listEscalationPolicies", "", "/oncall/policies", access.OnCallRead, "Who is told of what: levels and escalation policies"),
		func(context.Context, *struct{}) (escalation.PoliciesResponse, error) {
			return h.deps.Escalation.PoliciesInForce(), nil
		})
	operation.Register(h.Registry, h.escalating("pageEscalation", "", "/pages/{id}/escalation", access.PagesRead, "Whom a page went to, step by step, and who is next"), h.ofPage)
}

// ofPage answers for pages that the caller may see.
func (h *handlers) ofPage(ctx context.Context, in *pageInput) (escalation.View, error) {
	if !access.ScopeFor(ctx, access.PagesRead).All {
		sees, err := h.deps.Sees(ctx, in.ID)
		if err != nil {
			return escalation.View{}, err
		}
		if !sees {
			return escalation.View{}, fmt.Errorf("page %s: %w", in.ID, oncall.ErrUnknown)
		}
	}
	if escalation.IsDrill(in.ID) {
		return escalation.View{}, fmt.Errorf("page %s: %w", in.ID, oncall.ErrUnknown)
	}
	return h.deps.Escalation.OfPage(ctx, in.ID)
}

// DrillRequest says whom to send a drill to: one of policy and person, or neither for the default policy.
type DrillRequest struct {
	Policy string `json:"policy,omitempty" maxLength:"200"`
	Person string `json:"person,omitempty" maxLength:"200"`
	Level  string `json:"level,omitempty" maxLength:"100" doc:"the most urgent one, if absent"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who sends it; with authentication it is who is logged in"`
}

// DrillSent answers the drill that was sent.
type DrillSent struct {
	ID string `json:"id"`
}

type drillInput struct{ Body DrillRequest }

type drillAckInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body struct {
		By string `json:"by" minLength:"1" maxLength:"200"`
	}
}

func (h *handlers) registerDrills() {
	send := h.escalating("sendDrill", http.MethodPost, "/oncall/drills", access.OnCallSwap, "Send a drill through a whole policy, or to one person")
	send.Status = http.StatusCreated
	send.Description = "All steps are told at once, without the waits between them. A drill is no page: it stands in no inbox and no report."
	operation.Register(h.Registry, send, func(ctx context.Context, in *drillInput) (DrillSent, error) {
		by := access.SubjectOf(ctx, in.Body.By)
		if by == "" {
			by = "somebody"
		}
		id, err := h.deps.Escalation.Test(ctx, in.Body.Policy, in.Body.Person, in.Body.Level, by)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Actor: in.Body.By, Action: "oncall.drill", Subject: id, Details: map[string]string{"policy": in.Body.Policy, "person": in.Body.Person, "level": in.Body.Level}})
		}
		return DrillSent{ID: id}, err
	})
	operation.Register(h.Registry, h.escalating("getDrill", "", "/oncall/drills/{id}", access.OnCallRead, "Whom a drill reached"),
		func(ctx context.Context, in *pageInput) (escalation.View, error) {
			return h.deps.Escalation.OfDrill(ctx, in.ID)
		})
	operation.Register(h.Registry, h.escalating("ackDrill", http.MethodPost, "/oncall/drills/{id}/ack", access.PagesAck, "Acknowledge a drill"),
		func(ctx context.Context, in *drillAckInput) (escalation.View, error) {
			// A drill belongs to the tenant, to none of its namespaces.
			if !escalation.IsDrill(in.ID) || !access.ScopeFor(ctx, access.PagesAck).All {
				return escalation.View{}, fmt.Errorf("drill %q: %w", in.ID, oncall.ErrUnknown)
			}
			if _, err := h.deps.Escalation.Acknowledge(ctx, in.ID, access.SubjectOf(ctx, strings.TrimSpace(in.Body.By)), "api"); err != nil {
				return escalation.View{}, err
			}
			return h.deps.Escalation.OfDrill(ctx, in.ID)
		})
}

// ContactsResponse lists contacts, without their addresses.
type ContactsResponse struct {
	Contacts []contacts.ContactState `json:"contacts"`
}

// VerifyRequest has a code sent, or says the one that came.
type VerifyRequest struct {
	Person  string `json:"person" minLength:"1" maxLength:"200"`
	Contact string `json:"contact" minLength:"1" maxLength:"200" doc:"its name: the kind of channel, unless the file gives one"`
	Code    string `json:"code,omitempty" maxLength:"20" doc:"absent: one is sent"`
	By      string `json:"by,omitempty" maxLength:"200" doc:"who says it; with authentication it is who is logged in"`
}

// VerifyResponse is what came of it.
type VerifyResponse struct {
	Sent    bool                   `json:"sent" doc:"a code is on its way"`
	Contact *contacts.ContactState `json:"contact,omitempty" doc:"verified by the code"`
}

type verifyInput struct{ Body VerifyRequest }

func (h *handlers) registerContacts() {
	served := func(op operation.Operation) operation.Operation {
		op.Served, op.Room = h.deps.Contacts != nil, "contacts"
		return op
	}
	operation.Register(h.Registry, served(h.escalating("listContacts", "", "/oncall/contacts", access.OnCallRead, "How people are reached, and what of it is verified")),
		func(ctx context.Context, _ *struct{}) (ContactsResponse, error) {
			list, err := h.deps.Contacts.Contacts(ctx)
			return ContactsResponse{Contacts: list}, err
		})
	operation.Register(h.Registry, served(h.escalating("verifyContact", http.MethodPost, "/oncall/contacts/verify", access.OnCallSwap, "Verify a contact by a code that is sent there")), h.verify)
}

func (h *handlers) verify(ctx context.Context, in *verifyInput) (VerifyResponse, error) {
	b := in.Body
	details := map[string]string{"contact": b.Contact}
	if b.Code == "" {
		err := h.deps.Contacts.Send(ctx, b.Person, b.Contact)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Actor: b.By, Action: "oncall.verify.send", Subject: b.Person, Details: details})
		}
		return VerifyResponse{Sent: err == nil}, err
	}
	state, err := h.deps.Contacts.Confirm(ctx, b.Person, b.Contact, strings.TrimSpace(b.Code), access.SubjectOf(ctx, b.By))
	if err != nil {
		return VerifyResponse{}, err
	}
	h.Audit(ctx, model.AuditEntry{Actor: b.By, Action: "oncall.verify", Subject: b.Person, Details: details})
	return VerifyResponse{Contact: &state}, nil
}
