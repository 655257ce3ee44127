package notify

import (
	"context"
	"errors"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Channel hands messages to the service that carries them to people: one for each kind, notify/<kind>.
type Channel interface {
	// Send hands one message over. A nil error means that the service took it, and the receipt says what it called it. An error
	// is worth another try unless it says otherwise (Refused); a service that asks for patience is answered with Later.
	// Send does not try again itself, returns when ctx is done, and its errors hold no secret.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Kind is why somebody is written to.
type Kind string

// Kinds of messages.
const (
	Paged        Kind = "page"         // somebody has to act now
	Noticed      Kind = "notice"       // something happened; nobody has to get up
	Acknowledged Kind = "acknowledged" // somebody has taken it
	Resolved     Kind = "resolved"     // it is over
	Drill        Kind = "drill"        // a page that somebody sent to see whether pages arrive
	Verification Kind = "verification" // whether an address is whose it is said to be; Text holds the code
	Told         Kind = "told"         // a hand-over note, a reminder, a report
)

// Message is one thing that one person or one team is told. It is complete: a channel looks nothing up.
type Message struct {
	// DedupKey is the same for every message about one page, whatever the channel, step or try: services that
	// deduplicate do it by this.
	DedupKey string
	Kind     Kind
	To       Target
	Level    string // P0 … P3; "" where it has none
	Title    string // one line, plain text
	Text     string // what is known, plain text in lines; may be empty
	// Page is what the message is about; nil where it is about none.
	Page *model.Page
	// Acknowledge is where the recipient takes the page without logging in; "" offers none.
	Acknowledge string
	Links       []Link // the first one is where a person should look first
	Time        time.Time
}

// Link is a place to look at.
type Link struct {
	Text string
	URL  string
}

// Target is where a message goes.
type Target struct {
	Channel string // the kind of channel: email, sms, voice, slack, ntfy …
	Address string // as the kind writes it: a mail address, a number in E.164, a chat channel, a topic
	Person  string // the name in oncall_files; "" for a team's place
}

// Receipt is what the service answered.
type Receipt struct {
	ID   string // what it calls the message; "" where it names none
	Note string // what it said, such as "queued"; short, without secrets
}

// refused is an error that another try does not cure.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// Refused marks an error as one that another try does not cure: an address that does not exist, a key that is not valid.
func Refused(err error) error { return refused{err} }

// IsRefused says whether another try is of no use.
func IsRefused(err error) bool {
	var r refused
	return errors.As(err, &r)
}

// later is an error of a service that asks for patience.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error { return l.error }

// Later marks an error as one that is worth another try after a while, which the service said.
func Later(err error, after time.Duration) error { return later{err, after} }

// RetryAfter is how long the service asked to wait; 0 where it did not.
func RetryAfter(err error) time.Duration {
	var l later
	if errors.As(err, &l) {
		return l.after
	}
	return 0
}

// Courier delivers messages whatever it takes: it knows the channels, waits for those that ask for it and tries again.
type Courier interface {
	// Deliver tries until the message is handed over, refused, or ctx is done. note is told of each try, in order;
	// it may be nil. An unknown kind of channel is refused.
	Deliver(ctx context.Context, m Message, note func(model.Delivery)) (Receipt, error)
	// Channels are the kinds that can be used.
	Channels() []string
}

// Answers are what people do from where they were told: by a button, a key of their phone, a reply.
type Answers interface {
	// Acknowledge takes a page in the name of somebody; how says from where, for the audit log: "slack", "phone".
	Acknowledge(ctx context.Context, page, by, how string) (model.Page, error)
}
