package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

// kind is of the documents that hold records; their ID is that of the page.
const kind = "escalation"

// The bounds of a record.
const (
	maxTries  = 400
	maxEvents = 200
)

// State is how an escalation stands.
type State string

// The states.
const (
	Waiting      State = "waiting"      // the level gives somebody time to acknowledge before people are paged
	Noticed      State = "noticed"      // the level pages nobody
	Paging       State = "paging"       // people are told, step by step
	Silenced     State = "silenced"     // all its alerts are silenced
	Acknowledged State = "acknowledged" // somebody has it
	Resolved     State = "resolved"     // it is over
	Unreached    State = "unreached"    // the chain came to its end, and nobody has it
)

// Record is one page's escalation.
type Record struct {
	Page      string `json:"page"`
	Level     string `json:"level"`
	LevelWhy  string `json:"level_why"`
	Policy    string `json:"policy"`
	PolicyWhy string `json:"policy_why"`
	State     State  `json:"state"`
	Course
	Tries  []Try   `json:"tries"`  // in the order in which they were planned
	Events []Event `json:"events"` // what was decided, and why
	Times  Times   `json:"times"`
	Drill  *Drill  `json:"drill,omitempty"` // nil for a page
}

// Course is how far a record has come.
type Course struct {
	Round  int       `json:"round"`            // how often the chain began anew
	Full   int       `json:"full,omitempty"`   // rounds that told somebody
	Step   int       `json:"step"`             // the one to begin next, from 0
	Next   time.Time `json:"next,omitzero"`    // when; zero never
	Notice bool      `json:"notice,omitempty"` // whether the notice was given
	Heard  string    `json:"heard,omitempty"`  // who acknowledged, as far as it was told on
}

// Times are a record's.
type Times struct {
	Began   time.Time `json:"began"`
	Updated time.Time `json:"updated"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Drill is what a drill has instead of a page in the store.
type Drill struct {
	Page   model.Page              `json:"page"`
	Policy policy.EscalationPolicy `json:"policy"`
}

// The states of a try.
const (
	planned    = "planned"
	trying     = "trying" // written before it is sent: after a crash it is sent again
	delivered  = "delivered"
	failed     = "failed"
	cancelled  = "cancelled"
	summarized = "summarized" // told in one message with others
)

// Try is one message to one address.
type Try struct {
	Kind     notify.Kind `json:"kind"`
	Round    int         `json:"round"`
	Step     int         `json:"step"` // from 1; 0 for a notice
	Person   string      `json:"person,omitempty"`
	Contact  string      `json:"contact,omitempty"`
	Channel  string      `json:"channel"`
	Address  string      `json:"address"`
	Why      string      `json:"why"` // they are told
	Due      time.Time   `json:"due"`
	At       time.Time   `json:"at,omitzero"` // of the outcome
	State    string      `json:"state"`
	Receipt  string      `json:"receipt,omitempty"`
	Note     string      `json:"note,omitempty"`
	Attempts int         `json:"attempts,omitempty"`
	Reported bool        `json:"reported,omitempty"` // the service said what became of it after it took it
}

func (t Try) open() bool { return t.State == planned || t.State == trying }

// who names the recipient without what is private of the address.
func (t Try) who() string {
	if t.Person != "" {
		return t.Person + " by " + t.Contact
	}
	return t.Channel + " " + redact.Text(t.Address)
}

// Event is something that was decided.
type Event struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

func (r *Record) say(now time.Time, format string, args ...any) {
	r.Events = append(r.Events, Event{Time: now.UTC(), Text: fmt.Sprintf(format, args...)})
	if over := len(r.Events) - maxEvents; over > 0 {
		r.Events = slices.Delete(r.Events, 1, 1+over)
	}
}

// plan adds a try.
func (r *Record) plan(t Try) {
	t.State = planned
	r.Tries = append(r.Tries, t)
	for i := 0; len(r.Tries) > maxTries && i < len(r.Tries); {
		if r.Tries[i].open() {
			i++
			continue
		}
		r.Tries = slices.Delete(r.Tries, i, i+1)
	}
}

// cancel gives up what would page.
func (r *Record) cancel(now time.Time, why string) {
	for i := range r.Tries {
		if t := &r.Tries[i]; t.open() && (t.Kind == notify.Paged || t.Kind == notify.Noticed || t.Kind == notify.Drill) {
			t.State, t.At, t.Note = cancelled, now.UTC(), why
		}
	}
}

// due is when something is to be done next; zero if nothing is.
func (r *Record) due() time.Time {
	if r.State == Silenced {
		return r.Times.Updated.Add(look)
	}
	at := r.Next
	for _, t := range r.Tries {
		if t.open() && (at.IsZero() || t.Due.Before(at)) {
			at = t.Due
		}
	}
	return at
}

// The words by which documents are selected.
const (
	activeStatus = "active" // something is due at the document's time
	idleStatus   = "idle"   // waits for news of its page
	doneStatus   = "done"
)

func (r *Record) document(version int64) (store.Document, error) {
	body, err := json.Marshal(r)
	d := store.Document{Kind: kind, ID: r.Page, Version: version, Status: activeStatus, Time: r.due(), Body: body}
	switch {
	case !d.Time.IsZero():
	case r.State != Resolved:
		d.Status, d.Time = idleStatus, r.Times.Updated
	default:
		d.Status, d.Time = doneStatus, r.Times.Ended
	}
	return d, err
}

// load reads a record; ok is false if there is none.
func (e *Engine) load(ctx context.Context, page string) (rec Record, version int64, ok bool, err error) {
	d, err := e.deps.Documents.Document(ctx, kind, page)
	if errors.Is(err, store.ErrNotFound) {
		return rec, 0, false, nil
	}
	if err != nil {
		return rec, 0, false, err
	}
	if err := json.Unmarshal(d.Body, &rec); err != nil {
		// Who was told is not known any more. It begins anew: told twice is better than not at all.
		e.log.Error("the record of an escalation is damaged; it begins anew", "page", page, "err", err)
		return Record{}, d.Version, false, nil
	}
	return rec, d.Version, true, nil
}

// save writes a record and answers its new version.
func (e *Engine) save(ctx context.Context, rec *Record, version int64) (int64, error) {
	rec.Times.Updated = e.now().UTC()
	d, err := rec.document(version)
	if err != nil {
		return version, err
	}
	saved, err := e.deps.Documents.SaveDocuments(ctx, d)
	if err != nil {
		return version, fmt.Errorf("save the escalation of page %s: %w", rec.Page, err)
	}
	return saved[0].Version, nil
}
