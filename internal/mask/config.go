package mask

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask/pattern"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config is the section `masking`.
type Config struct {
	// Rules are list; what of logs and spans is masked for whom (docs/masking.md): name, fields, patterns, lifted_by, replace.
	Rules []Rule `yaml:"rules"`
}

// Rule masks fields as a whole or, with patterns, what the patterns find in them.
type Rule struct {
	Name string `yaml:"name"` // stands where something was masked
	// Fields are names of attributes with * for any characters, and message, name, status_message, request_id. user.email is
	// user_email and userEmail too, and what ends with it as a word or lies below it. None, with patterns, is every text.
	Fields []string `yaml:"fields"`
	// Patterns are email, card, iban, ipv4, ipv6, bearer, jwt, or a regular expression between slashes.
	Patterns []string `yaml:"patterns"`
	// LiftedBy is the permission of those who see the values.
	LiftedBy access.Permission `yaml:"lifted_by"`
	// Replace is what stands instead: fixed, last_4 (keeps the last four letters or digits) or hash (of privacy.keys).
	Replace string `yaml:"replace"`
}

// What stands instead of a value.
const (
	ReplaceFixed = "fixed"
	ReplaceLast4 = "last_4"
	ReplaceHash  = "hash"
)

// SetDefaults sets what applies where an entry says nothing.
func (r *Rule) SetDefaults() { r.LiftedBy, r.Replace = access.UnmaskedRead, ReplaceFixed }

// maxRules bounds the rules: which of them apply is a set of bits.
const maxRules = 64

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// ownFields are the fields beside attributes that may be masked: texts that people wrote.
func ownFields() []string {
	return []string{"message", "name", "status_message", "request_id", "trace_state"}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	if len(c.Rules) > maxRules {
		errs = append(errs, fmt.Errorf("rules: are %d, at most %d can be told apart: join some", len(c.Rules), maxRules))
	}
	names := map[string]bool{}
	for i, r := range c.Rules {
		for _, err := range r.validate() {
			errs = append(errs, fmt.Errorf("rules[%d].%w", i, err))
		}
		if names[r.Name] {
			errs = append(errs, fmt.Errorf("rules[%d].name: %s is there twice: give each rule a name of its own", i, r.Name))
		}
		names[r.Name] = true
	}
	return errs
}

func (r Rule) validate() []error {
	var errs []error
	if !ruleName.MatchString(r.Name) {
		errs = append(errs, fmt.Errorf("name: %q: use lower-case letters, digits, - and _, beginning with a letter", r.Name))
	}
	if len(r.Fields)+len(r.Patterns) == 0 {
		errs = append(errs, errors.New("fields: nothing is masked: name fields, or patterns"))
	}
	for i, f := range r.Fields {
		if err := maskable(f); err != nil {
			errs = append(errs, fmt.Errorf("fields[%d]: %w", i, err))
		}
	}
	for i, p := range r.Patterns {
		if _, err := pattern.New(p); err != nil {
			errs = append(errs, fmt.Errorf("patterns[%d]: %w", i, err))
		}
	}
	if !access.Lifts(r.LiftedBy) {
		errs = append(errs, fmt.Errorf("lifted_by: %q: use %s, or a word of your own such as unmasked.cards, and list it in a role of auth.roles", r.LiftedBy, access.UnmaskedRead))
	}
	if !slices.Contains([]string{ReplaceFixed, ReplaceLast4, ReplaceHash}, r.Replace) {
		errs = append(errs, fmt.Errorf("replace: %q: use %s, %s or %s", r.Replace, ReplaceFixed, ReplaceLast4, ReplaceHash))
	}
	return errs
}

// maskable refuses the names of fields that say which record it is and whose: access, links and SLOs go by them.
func maskable(field string) error {
	name := store.CanonicalField(field)
	switch {
	case strings.Trim(field, "*. ") == "" && field != "*":
		return fmt.Errorf("%q is no name; use that of an attribute", field)
	case slices.Contains(ownFields(), name):
		return nil
	case store.IsFieldName(name):
		return fmt.Errorf("%s cannot be masked, it says which record it is or whose: name an attribute, or %s", field, strings.Join(ownFields(), ", "))
	}
	return nil
}

// Hashes reports whether a rule replaces by hashes, for which a key is needed.
func (c Config) Hashes() bool {
	return slices.ContainsFunc(c.Rules, func(r Rule) bool { return r.Replace == ReplaceHash })
}
