package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
)

func TestTheAuditExamplesOfTheDocsAreValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		c, problems := config.Parse(document.File{Path: "/etc/signalbox/signalbox.yml", Text: []byte(b)})
		if err := document.Err(problems); err != nil {
			t.Fatalf("%v in\n%s", err, b)
		}
		if len(c.Audit.Ship) != 3 || c.Audit.Ship[0].OTLP.HTTP.Authorization.CredentialsFile != filepath.Join("/etc/signalbox", "siem.token") || c.Audit.Ship[2].Syslog.TLS.KeyFile != "/etc/signalbox/signalbox.key" {
			t.Errorf("%+v", c.Audit.Ship)
		}
	}
	if len(blocks) == 0 {
		t.Error("there is no example")
	}
}

func TestWhatIsWrongWithShippingIsSaidWithItsPlace(t *testing.T) {
	_, problems := config.Parse(document.File{Path: "signalbox.yml", Text: []byte("audit:\n  ship:\n    - name: siem\n      syslog:\n        address: siem:514\n")})
	if err := document.Err(problems); err == nil || !strings.Contains(err.Error(), "audit.ship[0].syslog.address: must be tls://, tcp:// or udp://") {
		t.Errorf("%v", err)
	}
}
