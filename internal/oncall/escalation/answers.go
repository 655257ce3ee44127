package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/store"
)

// drillFor is how long a drill waits for somebody to acknowledge it.
const drillFor = 15 * time.Minute

// drillPrefix begins the IDs of drills.
const drillPrefix = "drill-"

// Acknowledge takes a page in the name of somebody, who was told of it in some way: it implements notify.Answers.
func (e *Engine) Acknowledge(ctx context.Context, page, by, how string) (model.Page, error) {
	at := e.now()
	p, err := e.AckPage(ctx, page, by, at)
	if err != nil {
		return p, err
	}
	if e.deps.Audit != nil {
		entry := model.AuditEntry{Time: at.UTC(), Actor: by, Action: "page.ack", Subject: page, Details: map[string]string{"how": how}}
		if !strings.HasPrefix(page, drillPrefix) {
			evidence.NoteAck(&entry, p, at)
		}
		e.deps.Audit(ctx, entry)
	}
	return p, nil
}

// AckPage acknowledges a page, or a drill, and has those who were told hear of it.
func (e *Engine) AckPage(ctx context.Context, page, by string, at time.Time) (p model.Page, err error) {
	if strings.HasPrefix(page, drillPrefix) {
		p, err = e.ackDrill(ctx, page, by, at)
	} else {
		p, err = e.deps.Pages.AckPage(ctx, page, by, at)
	}
	if err == nil {
		e.Changed(p)
	}
	return p, err
}

// ackKind is of the documents that hold the acknowledgements of drills.
const ackKind = "escalation.ack"

// taken is the acknowledgement of a drill. It is a document of its own, so that it never meets a write of the engine.
type taken struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

func (e *Engine) ackDrill(ctx context.Context, page, by string, at time.Time) (model.Page, error) {
	if by == "" {
		return model.Page{}, refuse("who acknowledges must be named")
	}
	rec, _, ok, err := e.load(ctx, page)
	if err != nil {
		return model.Page{}, err
	}
	if !ok || rec.Drill == nil {
		return model.Page{}, fmt.Errorf("drill %s: %w", page, store.ErrNotFound)
	}
	body, err := json.Marshal(taken{By: by, At: at.UTC()})
	if err != nil {
		return model.Page{}, err
	}
	_, err = e.deps.Documents.SaveDocuments(ctx, store.Document{Kind: ackKind, ID: page, Time: at, Body: body})
	if err != nil && !errors.Is(err, store.ErrChanged) { // the first one stands
		return model.Page{}, err
	}
	return e.drillPage(ctx, rec)
}

// drillPage is the page of a drill, with who took it.
func (e *Engine) drillPage(ctx context.Context, rec Record) (model.Page, error) {
	p := rec.Drill.Page
	d, err := e.deps.Documents.Document(ctx, ackKind, p.ID)
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	var who taken
	if err == nil {
		err = json.Unmarshal(d.Body, &who)
	}
	p.AckedBy, p.AckedAt = who.By, &who.At
	return p, err
}

// badRequest is the caller's fault.
type badRequest struct{ error }

// BadRequest says whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// Test sends a drill through all steps of a policy without waiting between them, or to one person, and answers its ID.
func (e *Engine) Test(ctx context.Context, policyName, person, level, by string) (string, error) {
	roster := e.deps.Room.Value()
	levels := roster.LevelsInForce()
	if level == "" {
		level = levels[0].Name
	}
	if levels.Rank(level) == len(levels) {
		return "", refuse("no level is called %q", level)
	}
	chain, err := drilled(roster.Policies, policyName, person)
	if err != nil {
		return "", err
	}
	if _, ok := roster.Person(person); person != "" && !ok {
		return "", fmt.Errorf("%q is nobody in people of oncall_files: %w", person, store.ErrNotFound)
	}
	now, id := e.now().UTC(), drillPrefix+uuid.NewString()
	what := "policy " + chain.Name
	if person != "" {
		what = person
	}
	rec := Record{
		Page: id, Level: level, LevelWhy: "asked for", Policy: chain.Name, PolicyWhy: "asked for", State: Paging, Course: Course{Next: now},
		Tries: []Try{}, Events: []Event{}, Times: Times{Began: now, Updated: now},
		Drill: &Drill{Policy: chain, Page: model.Page{
			ID: id, DedupKey: id, Time: now, Updated: now, Status: "firing", Severity: level, Title: "do pages reach " + what + "?",
			Summary: "Sent by " + by + ".", Receiver: chain.Name, GroupLabels: model.Labels{"alertname": "Drill"}, Alerts: []model.PageAlert{}, Deliveries: []model.Delivery{},
		}},
	}
	rec.say(now, "drill at level %s, sent by %s", level, by)
	body, err := json.Marshal(rec)
	if err != nil {
		return "", err
	}
	if _, err := e.deps.Documents.SaveDocuments(ctx, store.Document{Kind: kind, ID: id, Status: activeStatus, Time: now, Body: body}); err != nil {
		return "", err
	}
	e.nudge(id, time.Time{})
	return id, nil
}

// drilled is the chain that a drill goes through.
func drilled(policies []policy.EscalationPolicy, name, person string) (policy.EscalationPolicy, error) {
	if person != "" {
		if name != "" {
			return policy.EscalationPolicy{}, refuse("name a policy or a person, not both")
		}
		return policy.EscalationPolicy{Name: "drill of " + person, Steps: []policy.EscalationStep{{Notify: []policy.EscalationTarget{{Person: person}}}}}, nil
	}
	for _, p := range policies {
		if name == p.Name || name == "" && p.Default {
			return p, nil
		}
	}
	if name == "" {
		return policy.EscalationPolicy{}, refuse("name a policy or a person: no policy is the default")
	}
	return policy.EscalationPolicy{}, fmt.Errorf("escalation policy %q: %w", name, store.ErrNotFound)
}
