package pagerduty

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// The actions of an event.
const (
	Trigger     = "trigger"
	Acknowledge = "acknowledge"
	Resolve     = "resolve"
)

// Bounds as PagerDuty documents them.
const (
	maxDedup   = 255
	maxSummary = 1024 // longer ones are cut
	// maxLabel bounds what becomes a label.
	maxLabel = 255
)

// Event is an alert event.
type Event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client"`
	ClientURL  string   `json:"client_url"`
	Payload    *Payload `json:"payload"`
	Links      []Link   `json:"links"`
	Images     []Image  `json:"images"`
}

// Change is a change event.
type Change struct {
	RoutingKey string   `json:"routing_key"`
	Payload    *Payload `json:"payload"`
	Links      []Link   `json:"links"`
}

// Payload is what happened.
type Payload struct {
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Severity  string          `json:"severity"`
	Timestamp string          `json:"timestamp"`
	Component string          `json:"component"`
	Group     string          `json:"group"`
	Class     string          `json:"class"`
	Details   json.RawMessage `json:"custom_details"`
}

// Link leads to more.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Image is a picture, and where it leads.
type Image struct {
	Src  string `json:"src"`
	Href string `json:"href"`
	Alt  string `json:"alt"`
}

// InvalidError is an event that its sender must change.
type InvalidError struct{ Reasons []string }

// Error implements error.
func (e *InvalidError) Error() string { return strings.Join(e.Reasons, "; ") }

// ParseEvent reads an alert event and checks it.
func ParseEvent(body []byte) (Event, error) {
	var e Event
	if err := read(body, &e); err != nil {
		return e, err
	}
	var bad reasons
	bad.required("routing_key", e.RoutingKey)
	switch e.Action {
	case Trigger:
		if e.Payload == nil {
			bad.add("'payload' is missing or blank")
			break
		}
		e.Payload.check(&bad)
		bad.required("payload.source", e.Payload.Source)
		switch e.Payload.Severity {
		case "critical", "error", "warning", "info":
		case "":
			bad.add("'payload.severity' is missing or blank")
		default:
			bad.add("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
		}
	case Acknowledge, Resolve:
		bad.required("dedup_key", e.DedupKey)
	case "":
		bad.add("'event_action' is missing or blank")
	default:
		bad.add("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	if n := utf8.RuneCountInString(e.DedupKey); n > maxDedup {
		bad.add("Length of 'dedup_key' is incorrect (should be no more than %d characters)", maxDedup)
	}
	return e, bad.err()
}

// ParseChange reads a change event and checks it.
func ParseChange(body []byte) (Change, error) {
	var c Change
	if err := read(body, &c); err != nil {
		return c, err
	}
	var bad reasons
	bad.required("routing_key", c.RoutingKey)
	if c.Payload == nil {
		bad.add("'payload' is missing or blank")
	} else {
		c.Payload.check(&bad)
	}
	return c, bad.err()
}

func (p *Payload) check(bad *reasons) {
	bad.required("payload.summary", p.Summary)
	p.Summary = clip(p.Summary, maxSummary)
	if _, ok := p.at(); !ok {
		bad.add("'payload.timestamp' is invalid (must be ISO 8601, such as 2026-07-17T08:42:58Z)")
	}
}

// at is when it says that it happened; zero where it does not say.
func (p *Payload) at() (time.Time, bool) {
	if p.Timestamp == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, p.Timestamp); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// details are the texts among the custom details, by name.
func (p *Payload) details() map[string]string {
	var all map[string]any
	if json.Unmarshal(p.Details, &all) != nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range all {
		if text, ok := v.(string); ok {
			out[k] = text
		}
	}
	return out
}

// read takes one JSON object and nothing behind it.
func read(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the event")
		}
	}
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && kind.Field != "":
		return &InvalidError{Reasons: []string{fmt.Sprintf("'%s' is invalid (a JSON %s does not go there)", kind.Field, kind.Value)}}
	}
	return &InvalidError{Reasons: []string{"the body is not one JSON object: " + err.Error()}}
}

type reasons []string

func (r *reasons) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

func (r *reasons) required(name, value string) {
	if firstOf(maxSummary, value) == "" {
		r.add("'%s' is missing or blank", name)
	}
}

func (r reasons) err() error {
	if len(r) == 0 {
		return nil
	}
	return &InvalidError{Reasons: r}
}

// clip cuts a text to so many characters, and leaves out what does not print.
func clip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}
