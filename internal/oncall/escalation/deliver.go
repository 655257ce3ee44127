package escalation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// failOver is how long one contact is tried before the next one is.
const failOver = 20 * time.Second

// maxNote bounds what is kept of an error.
const maxNote = 300

// parcel is a message that goes out in one turn.
type parcel struct {
	at      int    // of its try
	limit   string // its address, as the limiter knows it
	along   map[string]string
	message notify.Message
	receipt notify.Receipt
	tries   int
	err     error
}

// key is what a try tells, as the limiter knows it.
func (t *turn) key(try Try) string {
	return fmt.Sprintf("%s\x00%s\x00%d\x00%d\x00%s\x00%s", t.rec.Page, try.Kind, try.Round, try.Step, try.Person, try.Contact)
}

// limit is the address of a try, as the limiter knows it: what is less urgent holds up nothing that is more.
func (t *turn) limit(try Try) string {
	return strings.Join([]string{try.Channel, try.Address, t.rec.Level, string(try.Kind)}, "\x00")
}

// outgoing are the messages that are due and may go out; their tries are marked, to be written down before they are sent.
func (t *turn) outgoing() (out []*parcel) {
	if t.rec.State == Silenced {
		return nil
	}
	for i := range t.rec.Tries {
		try := &t.rec.Tries[i]
		if !try.open() || try.Due.After(t.now) {
			continue
		}
		p := &parcel{at: i, limit: t.limit(*try)}
		says := t.e.limits.ask(p.limit, t.key(*try), t.page.Title, t.now)
		switch {
		case says.told != "":
			try.State, try.At, try.Note = summarized, t.now.UTC(), "told in one message with page "+says.told
		case !says.until.IsZero():
			try.Due = says.until
			try.Note = "too many messages to one address: it waits for one that sums them up"
		default:
			try.State, try.Note = trying, ""
			p.along, p.message = says.along, t.message(*try, says.along)
			out = append(out, p)
		}
	}
	t.limitOut()
	return out
}

// limitOut takes what is given up out of the limiter.
func (t *turn) limitOut() {
	for _, try := range t.rec.Tries {
		if try.State == cancelled {
			t.e.limits.forget(t.limit(try), t.key(try))
		}
	}
}

// send hands parcels over, side by side: who waits for one channel holds up no other.
func (e *Engine) send(ctx context.Context, out []*parcel) {
	var all sync.WaitGroup
	for _, p := range out {
		all.Go(func() { p.receipt, p.err = e.deliver(ctx, p) })
	}
	all.Wait()
}

func (e *Engine) deliver(ctx context.Context, p *parcel) (notify.Receipt, error) {
	if p.message.To.Channel == notify.InboxChannel {
		return notify.Receipt{Note: "shown in the UI"}, nil // by the record itself
	}
	if e.deps.Courier == nil {
		return notify.Receipt{}, notify.Refused(errors.New("no channel is set up"))
	}
	ctx, stop := context.WithTimeout(ctx, failOver)
	defer stop()
	// A courier may note a try that it gave up after it has answered.
	var mu sync.Mutex
	tries := 0
	receipt, err := e.deps.Courier.Deliver(ctx, p.message, func(model.Delivery) {
		mu.Lock()
		tries++
		mu.Unlock()
	})
	mu.Lock()
	p.tries = tries
	mu.Unlock()
	return receipt, err
}

// settle writes down what became of the messages, and goes on to the next contact or the next step where one did not arrive.
func (t *turn) settle(out []*parcel) {
	for _, p := range out {
		try := &t.rec.Tries[p.at]
		try.At, try.Attempts = t.now.UTC(), try.Attempts+max(p.tries, 1)
		t.e.limits.settle(p.limit, p.along, t.rec.Page, p.err == nil)
		outcome := delivered
		if p.err == nil {
			try.State, try.Receipt, try.Note = delivered, p.receipt.ID, clip(redact.Text(p.receipt.Note))
		} else {
			outcome = failed
			try.State, try.Note = failed, clip(redact.Text(p.err.Error()))
			t.rec.say(t.now, "the message to %s failed: %s", try.who(), try.Note)
		}
		t.e.metrics.messages.WithLabelValues(string(try.Kind), try.Channel, outcome).Inc()
	}
	for _, p := range out {
		if p.err != nil {
			t.failOver(t.rec.Tries[p.at])
		}
	}
}

// failOver has the person's next contact tried at once, or else the next step begin.
func (t *turn) failOver(gone Try) {
	if gone.Step == 0 || gone.Kind != notify.Paged && gone.Kind != notify.Drill {
		return
	}
	next, reached := -1, false
	for i, try := range t.rec.Tries {
		if try.Step != gone.Step || try.Round != gone.Round {
			continue
		}
		reached = reached || try.open() || try.State == delivered || try.State == summarized
		if gone.Person != "" && try.Person == gone.Person && try.State == planned && (next < 0 || try.Due.Before(t.rec.Tries[next].Due)) {
			next = i
		}
	}
	if next >= 0 {
		if try := &t.rec.Tries[next]; try.Due.After(t.now) {
			try.Due = t.now
			t.rec.say(t.now, "%s of %s is tried at once", try.Contact, try.Person)
		}
		return
	}
	if gone.Person != "" && t.otherContacts(gone) {
		return
	}
	if !reached && t.rec.Heard == "" && t.rec.Drill == nil && gone.Round == t.rec.Round && t.rec.Next.After(t.now) {
		t.rec.Next = t.now
		t.rec.say(t.now, "step %d reached nobody: the next one begins at once", gone.Step)
	}
}

// otherContacts plans those that no rule of the person names, when all others failed; false if there are none.
func (t *turn) otherContacts(gone Try) bool {
	used := map[string]bool{}
	for _, try := range t.rec.Tries {
		if try.Person == gone.Person && try.Step == gone.Step && try.Round == gone.Round {
			if try.State == delivered || try.State == summarized || try.open() {
				return true
			}
			used[try.Contact] = true
		}
	}
	person, _ := t.roster.Person(gone.Person)
	for _, c := range person.Reach().Contacts {
		if !used[c.Name] {
			next := gone
			next.Contact, next.Channel, next.Address, next.Due, next.At, next.Note, next.Attempts = c.Name, c.Channel, c.Address, t.now, time.Time{}, "", 0
			t.rec.plan(next)
			t.rec.say(t.now, "%s of %s is tried, as what the rules name failed", c.Name, gone.Person)
			return true
		}
	}
	return false
}

// message is what a try says.
func (t *turn) message(try Try, along map[string]string) notify.Message {
	m := notify.Message{
		DedupKey: t.page.DedupKey, Kind: try.Kind, Level: t.rec.Level, Title: t.page.Title, Time: t.now.UTC(),
		To: notify.Target{Channel: try.Channel, Address: try.Address, Person: try.Person},
	}
	if t.rec.Drill == nil {
		m.Page = &t.page
	}
	var lines []string
	if t.page.Summary != "" {
		lines = append(lines, t.page.Summary)
	}
	switch try.Kind {
	case notify.Acknowledged, notify.Resolved:
		lines = append(lines, sentence(strings.TrimSuffix(try.Why, "; it was told of the page")))
	case notify.Drill:
		m.Title = "Drill: " + m.Title
		lines = append(lines, "This is a drill: nothing is broken. Acknowledge it to show that pages reach you.")
	}
	if len(along) > 0 {
		lines = append(lines, summary(along))
	}
	if try.Kind == notify.Paged || try.Kind == notify.Noticed || try.Kind == notify.Drill {
		lines = append(lines, "Why you: "+try.Why+".")
		m.Acknowledge = t.link(try)
	}
	m.Text = strings.Join(lines, "\n")
	m.Links = t.links()
	return m
}

// maxAlong bounds how many pages a summary names.
const maxAlong = 10

func summary(along map[string]string) string {
	titles := slices.Sorted(maps.Values(along))
	text := fmt.Sprintf("and %d more", len(titles))
	if len(titles) > maxAlong {
		titles = append(titles[:maxAlong:maxAlong], "…")
	}
	return text + ": " + strings.Join(titles, "; ")
}

// link is where the recipient acknowledges, "" where that cannot be.
func (t *turn) link(try Try) string {
	if t.e.deps.Link == nil || t.rec.Drill != nil || t.page.AckedBy != "" {
		return ""
	}
	link, err := t.e.deps.Link(t.page, notify.Recipient{Channel: try.Channel, Receiver: t.rec.Policy, Address: try.Address})
	if err != nil {
		t.e.log.Warn("a message goes out without its link to acknowledge", "page", t.page.ID, "channel", try.Channel, "err", err)
	}
	return link
}

// links are where to look: the runbook first.
func (t *turn) links() (out []notify.Link) {
	for _, a := range t.page.Alerts {
		if url := a.Annotations["runbook_url"]; url != "" {
			out = append(out, notify.Link{Text: "Runbook", URL: url})
			break
		}
	}
	if t.e.deps.External != "" && t.rec.Drill == nil {
		out = append(out, notify.Link{Text: "Why this page", URL: strings.TrimSuffix(t.e.deps.External, "/") + "/alerts/" + t.page.ID})
	}
	return out
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func clip(s string) string {
	if len(s) > maxNote {
		s = strings.ToValidUTF8(s[:maxNote], "") + "…"
	}
	return s
}
