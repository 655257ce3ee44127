package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"
)

// Contact is one way to reach a person.
type Contact struct {
	Name    string `yaml:"name" json:"name"`       // the kind by default
	Channel string `yaml:"channel" json:"channel"` // the kind: email, ntfy, slack, telegram …
	Address string `yaml:"address" json:"address"` // as the kind writes it
}

// Rule is when a contact is used for a page.
type Rule struct {
	Contact string          `yaml:"contact" json:"contact"`
	After   common.Duration `yaml:"after" json:"after,omitempty" doc:"since the person was to be told"`
	Levels  []string        `yaml:"levels" json:"levels,omitempty" doc:"only for these"`
}

// Quiet is when what wakes nobody waits.
type Quiet struct {
	From string `yaml:"from" json:"from"`
	To   string `yaml:"to" json:"to"`
}

// Reach is how a person is reached.
type Reach struct {
	Contacts []Contact
	Rules    []Rule
	Quiet    *Quiet
	Zone     *time.Location
}

// Call is one use of a contact.
type Call struct {
	Contact Contact
	After   time.Duration
}

// between is how long one contact has before the next is tried, for a person without rules.
const between = 2 * time.Minute

// Waking reports whether a kind of channel is made to wake somebody.
func Waking(channel string) bool {
	switch channel {
	case "sms", "voice", "push", "pushover", "ntfy", "pagerduty", "opsgenie":
		return true
	}
	return false
}

// Page is how a person is paged at a level: their rules, or else all contacts one after the other, those that wake first.
// Rules that do not name the level leave it to the contacts too: nobody is unreachable by what they forgot.
func (r Reach) Page(level string) (out []Call) {
	for _, rule := range r.Rules {
		if len(rule.Levels) > 0 && !slices.Contains(rule.Levels, level) {
			continue
		}
		for _, c := range r.Contacts {
			if c.Name == rule.Contact {
				out = append(out, Call{Contact: c, After: time.Duration(rule.After)})
			}
		}
	}
	if len(out) == 0 {
		contacts := slices.Clone(r.Contacts)
		slices.SortStableFunc(contacts, func(a, b Contact) int { return order(a) - order(b) })
		for i, c := range contacts {
			out = append(out, Call{Contact: c, After: time.Duration(i) * between})
		}
	}
	slices.SortStableFunc(out, func(a, b Call) int { return int(a.After - b.After) })
	return out
}

func order(c Contact) int {
	if Waking(c.Channel) {
		return 0
	}
	return 1
}

// Notice is how a person is told of what nobody has to get up for: one contact that wakes nobody, e-mail before others.
func (r Reach) Notice() (Contact, bool) {
	for _, wanted := range []func(Contact) bool{
		func(c Contact) bool { return c.Channel == "email" },
		func(c Contact) bool { return !Waking(c.Channel) },
	} {
		if i := slices.IndexFunc(r.Contacts, wanted); i >= 0 {
			return r.Contacts[i], true
		}
	}
	return Contact{}, false
}

// NoticeAt is when a notice may be given: at once, or when the quiet hours are over.
func (r Reach) NoticeAt(now time.Time) time.Time {
	if r.Quiet == nil {
		return now
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	from, _ := clock(r.Quiet.From)
	to, _ := clock(r.Quiet.To)
	local := now.In(zone)
	for _, day := range []int{-1, 0} { // quiet hours that began yesterday, and today's
		begin := time.Date(local.Year(), local.Month(), local.Day()+day, 0, from, 0, 0, zone)
		ends := day
		if to <= from {
			ends++
		}
		end := time.Date(local.Year(), local.Month(), local.Day()+ends, 0, to, 0, 0, zone)
		if !now.Before(begin) && now.Before(end) {
			return end
		}
	}
	return now
}

var clockRE = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// clock is the minute of the day.
func clock(text string) (int, error) {
	if !clockRE.MatchString(text) {
		return 0, fmt.Errorf("must be a time of day such as 22:00, got %q", text)
	}
	var h, m int
	_, err := fmt.Sscanf(text, "%d:%d", &h, &m)
	return h*60 + m, err
}

var (
	channelRE = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	numberRE  = regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`)
)

// Validate lists what is wrong; each message begins with the field. It gives contacts without a name their kind.
func (r *Reach) Validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := map[string]bool{}
	for i := range r.Contacts {
		c := &r.Contacts[i]
		if c.Name == "" {
			c.Name = c.Channel
		}
		at := fmt.Sprintf("contacts[%d]", i)
		switch {
		case !channelRE.MatchString(c.Channel):
			bad("%s.channel: must be a kind of channel such as email, ntfy, slack or telegram, got %q", at, c.Channel)
		case !nameRE.MatchString(c.Name):
			bad("%s.name: %s, got %q", at, nameRule, c.Name)
		case names[c.Name]:
			bad("%s.name: %q is another contact already; give it a name of its own", at, c.Name)
		case strings.TrimSpace(c.Address) == "":
			bad("%s.address: is empty", at)
		case (c.Channel == "sms" || c.Channel == "voice") && !numberRE.MatchString(c.Address):
			bad("%s.address: must be a number with its country's code such as +4915112345678 (E.164), in quotes", at)
		case c.Channel == "email" && !strings.Contains(c.Address, "@"):
			bad("%s.address: is no mail address", at)
		}
		names[c.Name] = true
	}
	for i, rule := range r.Rules {
		if !names[rule.Contact] {
			bad("rules[%d].contact: %q is none of the contacts", i, rule.Contact)
		}
		if time.Duration(rule.After) > maxWait {
			bad("rules[%d].after: at most %s, got %s", i, short(maxWait), rule.After)
		}
	}
	if r.Quiet != nil {
		for _, f := range []struct{ field, text string }{{"from", r.Quiet.From}, {"to", r.Quiet.To}} {
			if _, err := clock(f.text); err != nil {
				bad("quiet_hours.%s: %w", f.field, err)
			}
		}
	}
	return errs
}
