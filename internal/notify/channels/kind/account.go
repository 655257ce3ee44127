package kind

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Account is how a service with one token is called: the part of a kind's section that is the same for many.
type Account struct {
	// Token is what the service gave us to prove who we are.
	Token secretfile.Key `yaml:"token"`
	// URL is where the API is; the service's own by default.
	URL string `yaml:"url"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (a *Account) Validate() (errs []error) {
	if err := a.Token.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("token: %w", err))
	}
	if err := weblink.Check(a.URL); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	return errs
}

// Files are the paths in the configuration.
func (a *Account) Files() []*string { return append(outgoing.Files(a.HTTP), &a.Token.File) }

// Base is where the API is, without a slash at its end.
func (a *Account) Base(usual string) string { return strings.TrimSuffix(cmp.Or(a.URL, usual), "/") }

// Pressers are who may press buttons of a service: names of oncall_files by the service's own IDs.
type Pressers struct {
	Field  string          // of the secret by which the service's requests are believed
	Secret *secretfile.Key // nil where there are no buttons
	People map[string]string
	ID     *regexp.Regexp
	Sample string // an entry of people as a sentence says it
}

// Validate lists what is wrong; each message begins with the field's path.
func (p Pressers) Validate() (errs []error) {
	if p.Secret != nil {
		if err := p.Secret.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Field, err))
		}
	}
	for id, name := range p.People {
		if !p.ID.MatchString(id) || name == "" {
			errs = append(errs, fmt.Errorf("people: must have names of oncall_files by %s, got %q: %q", p.Sample, id, name))
		}
	}
	if len(p.People) > 0 && p.Secret == nil {
		errs = append(errs, errors.New("people: are of use with "+p.Field+" only"))
	}
	return errs
}

// Files are the paths in the configuration.
func (p Pressers) Files() []*string {
	if p.Secret == nil {
		return nil
	}
	return []*string{&p.Secret.File}
}
