package auth

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/auth/directory"
	"github.com/signalbox-project/signalbox/internal/auth/oidc"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/document"
)

// Every YAML block on logging in is one that works.
func TestTheDocumentationsLoginsAreValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/login.md")
	if err != nil {
		t.Fatal(err)
	}
	logins := 0
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		var file struct {
			Auth struct {
				Enabled       bool               `yaml:"enabled"`
				OIDC          []oidc.Config      `yaml:"oidc"`
				LDAP          []directory.Config `yaml:"ldap"`
				policy.Config `yaml:",inline"`
			} `yaml:"auth"`
		}
		r, docs := document.Parse("login.md", []byte(block))
		for _, d := range docs {
			d.Decode(&file, "")
		}
		errs := file.Auth.Validate()
		for _, c := range file.Auth.OIDC {
			errs = append(errs, c.WithDefaults().Validate()...)
		}
		for _, c := range file.Auth.LDAP {
			errs = append(errs, c.WithDefaults().Validate()...)
		}
		n := len(file.Auth.OIDC) + len(file.Auth.LDAP)
		if logins += n; len(r.Problems()) > 0 || len(errs) > 0 || !file.Auth.Enabled || n == 0 {
			t.Errorf("%v %v in\n%s", r.Problems(), errs, block)
		}
	}
	if logins != 8 {
		t.Errorf("found %d logins", logins)
	}
}

// Every YAML block about roles is one that works, and Prometheus takes what is for it.
func TestTheDocumentationsBindingsAreValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/auth.md")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		section, _, _ := strings.Cut(block, ":")
		seen = append(seen, section)
		var errs []error
		r, docs := document.Parse("auth.md", []byte(block))
		switch section {
		case "auth":
			var file struct {
				Auth struct {
					Enabled       bool `yaml:"enabled"`
					policy.Config `yaml:",inline"`
				} `yaml:"auth"`
			}
			for _, d := range docs {
				d.Decode(&file, "")
			}
			if errs = file.Auth.Validate(); !file.Auth.Enabled || len(file.Auth.Bindings) == 0 {
				t.Errorf("binds nobody:\n%s", block)
			}
		case "remote_write":
			if _, err := promconfig.Load(block, slog.New(slog.DiscardHandler)); err != nil {
				errs = append(errs, err)
			}
		}
		if len(r.Problems()) > 0 || len(errs) > 0 {
			t.Errorf("%v %v in\n%s", r.Problems(), errs, block)
		}
	}
	if got := strings.Join(seen, " "); got != "auth remote_write exporters" {
		t.Errorf("found %s", got)
	}
}
