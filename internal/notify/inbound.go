package notify

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ErrUnproved is what an Intake answers to whoever does not prove to be the service. It says no more, to nobody.
var ErrUnproved = errors.New("the request is not proved to come from the service")

// ErrMalformed is what an Intake answers to what the service does not document.
var ErrMalformed = errors.New("the request is not what the service documents")

// Intake understands what a service sends when somebody presses a button there.
type Intake interface {
	// Read proves that the service sent a request and understands it. An error that wraps ErrUnproved is answered 401, one that wraps
	// ErrMalformed 400, others 500. What is to be done is done later, since services wait for a few seconds only; nil is nothing.
	Read(r *http.Request, body []byte) (Work, error)
}

// Work carries out what somebody asked for; outcome is one word for the metric.
type Work func(ctx context.Context) (outcome string, err error)

// Speaker is an Intake whose service says or shows what it is answered: the work is done before the answer.
type Speaker interface {
	Intake
	// Speak is the answer, by the work's outcome; "nothing" where there was nothing to do.
	Speak(r *http.Request, outcome string) (contentType string, body []byte)
}

// Report is what became of a message.
type Report struct {
	Channel string // the kind
	Receipt string // what the service called the message
	Arrived bool
	Note    string // what it says, in words for people
}

// Presser is who pressed a button, as far as the service says. Only what the service vouches for is in it.
type Presser struct {
	Channel string // the kind of channel
	ID      string // as the service calls them
	Name    string // in oncall_files, where the configuration says it
	Email   string // confirmed; "" where it is not known
}

// Hands do for people what they ask for from where they were told, beyond acknowledging, and find out who they are.
type Hands interface {
	Answers
	// Person is the name in oncall_files; "" for somebody who is not known there.
	Person(ctx context.Context, who Presser) string
	// Report says what became of a message about a page after its service took it: one that did not arrive has the next contact tried.
	Report(ctx context.Context, page string, r Report) error
	// Silence keeps the alerts of a page quiet for a while in the name of a person, and says what it silenced.
	Silence(ctx context.Context, page, person, how string, d time.Duration) (string, error)
}
