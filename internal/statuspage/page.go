package statuspage

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Page is a status page as a file describes it.
type Page struct {
	Name        string         `yaml:"name"`        // of its address: /status/NAME/
	Title       string         `yaml:"title"`       // as people read it
	Description string         `yaml:"description"` // a sentence below the title
	Public      bool           `yaml:"public"`      // everybody reads it; otherwise who has the permission statuspage.read
	URL         string         `yaml:"url"`         // where its readers reach it, if not below --web.external-url; requests for this host get the page
	Support     string         `yaml:"support"`     // a link to who helps
	Language    string         `yaml:"language"`    // en (default), de, es, fr
	TimeZone    string         `yaml:"time_zone"`   // in which times are shown; UTC (default), Europe/Berlin …
	StaleAfter  model.Duration `yaml:"stale_after"` // a copy that is older says so by itself
	Components  []Component    `yaml:"components"`  // what readers know by name, in this order
	Tiers       []int          `yaml:"tiers"`       // adds the services of the catalogue that are of these tiers; of pages that are not public
	Automatic   *Automatic     `yaml:"automatic"`   // what is announced without anybody

	place
}

// Component is what readers of a page know by name.
type Component struct {
	ID          string   `yaml:"id"`          // in announcements and addresses; it stays the same
	Title       string   `yaml:"title"`       // as people read it
	Description string   `yaml:"description"` // a sentence
	Group       string   `yaml:"group"`       // components with the same one stand together
	Services    []string `yaml:"services"`    // of telemetry, which belong to it; they are not shown
	SLOs        []string `yaml:"slos"`        // of which its uptime is; "*" is every SLO of its services
	Probes      []string `yaml:"probes"`      // of which its uptime is
}

// Automatic is what is announced of an incident without anybody, until somebody writes.
type Automatic struct {
	Severities []string       `yaml:"severities"` // of incidents: [P0] is the default
	After      model.Duration `yaml:"after"`      // how long an incident must last, and nobody have announced it
	State      State          `yaml:"state"`      // of the components: major_outage is the default
	Title      string         `yaml:"title"`      // {components} stands for their titles
	Text       string         `yaml:"text"`       // likewise
	Resolved   string         `yaml:"resolved"`   // the text when the incident is over and nobody wrote; absent: somebody has to
}

// place is where something is written.
type place struct {
	file string
	line int
}

const (
	maxPages      = 50
	maxComponents = 200
	// UptimeDays is how many days a page shows of each component.
	UptimeDays = 90
)

// SetDefaults is document's.
func (p *Page) SetDefaults() {
	p.Language, p.TimeZone, p.StaleAfter = "en", "UTC", model.Duration(10*time.Minute)
}

// fill sets what applies where the file says nothing.
func (a *Automatic) fill() {
	if a.Severities == nil {
		a.Severities = []string{"P0"}
	}
	a.State = cmp.Or(a.State, MajorOutage)
}

// Names are parts of addresses, where a dot parts tenant and page.
var nameRE = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)

const nameRule = "must be 1 to 63 small letters, digits, '-' or '_'"

// Languages are those in which a page has words of its own.
func Languages() []string { return []string{"de", "en", "es", "fr"} }

// Component is one by its ID.
func (p *Page) Component(id string) (Component, bool) {
	i := slices.IndexFunc(p.Components, func(c Component) bool { return c.ID == id })
	if i < 0 {
		return Component{}, false
	}
	return p.Components[i], true
}

// validate lists what is wrong; each message begins with the field.
func (p *Page) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(p.Name) {
		bad("name: %s, got %q", nameRule, p.Name)
	}
	if strings.TrimSpace(p.Title) == "" {
		bad("title: is missing")
	}
	if !slices.Contains(Languages(), p.Language) {
		bad("language: must be one of %s, got %q", strings.Join(Languages(), ", "), p.Language)
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		bad("time_zone: must be a name of the IANA database such as Europe/Berlin, or UTC, got %q", p.TimeZone)
	}
	if d := time.Duration(p.StaleAfter); d < 2*time.Minute {
		bad("stale_after: must be at least 2m, got %s", p.StaleAfter)
	}
	for name, link := range map[string]string{"url": p.URL, "support": p.Support} {
		if err := weblink.Check(link); err != nil {
			bad("%s: %w", name, err)
		}
	}
	if strings.ContainsAny(p.URL, "?#") {
		bad("url: must have no ? and no #")
	}
	if p.Public && len(p.Tiers) > 0 {
		bad("tiers: a public page shows only what its file names: list its components")
	}
	if len(p.Components) == 0 && len(p.Tiers) == 0 {
		bad("components: must not be empty")
	}
	if len(p.Components) > maxComponents {
		bad("components: are %d, more than %d", len(p.Components), maxComponents)
	}
	if p.Automatic != nil {
		p.Automatic.fill()
		errs = append(errs, p.Automatic.validate()...)
	}
	return append(errs, p.validateComponents()...)
}

func (p *Page) validateComponents() (errs []error) {
	seen := map[string]bool{}
	for i, c := range p.Components {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("components[%d].%s: %w", i, field, fmt.Errorf(format, args...)))
		}
		if !nameRE.MatchString(c.ID) {
			bad("id", "%s, got %q", nameRule, c.ID)
		}
		if seen[c.ID] {
			bad("id", "%q is there twice", c.ID)
		}
		if seen[c.ID] = true; strings.TrimSpace(c.Title) == "" {
			bad("title", "is missing: it is what readers see")
		}
		if slices.Contains(c.SLOs, everySLO) && (len(c.SLOs) > 1 || len(c.Services) == 0) {
			bad("slos", `"*" stands alone, and needs services`)
		}
	}
	return errs
}

// everySLO stands for every SLO of the services of a component.
const everySLO = "*"

func (a *Automatic) validate() (errs []error) {
	for _, s := range a.Severities {
		if !slices.Contains([]string{"P0", "P1", "P2", "P3"}, s) {
			errs = append(errs, fmt.Errorf("automatic.severities: must be of P0, P1, P2, P3, got %q", s))
		}
	}
	if len(a.Severities) == 0 {
		errs = append(errs, errors.New("automatic.severities: must not be empty"))
	}
	if a.After < 0 {
		errs = append(errs, fmt.Errorf("automatic.after: must not be negative, got %s", a.After))
	}
	if !slices.Contains([]State{Degraded, PartialOutage, MajorOutage}, a.State) {
		errs = append(errs, fmt.Errorf("automatic.state: must be degraded_performance, partial_outage or major_outage, got %q", a.State))
	}
	for name, text := range map[string]string{"title": a.Title, "text": a.Text} {
		if strings.TrimSpace(text) == "" {
			errs = append(errs, fmt.Errorf("automatic.%s: is missing: it is what readers see", name))
		}
	}
	return errs
}
