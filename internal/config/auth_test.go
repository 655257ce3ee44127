package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAuthSectionIsReadStrictly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "signalbox.yml")
	load := func(text string) (Config, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(file)
	}
	c, err := load(`
auth:
  enabled: true
  roles:
    - {name: tailer, description: reads logs, permissions: [logs.read]}
  bindings:
    - {role: tailer, groups: [pay-devs], namespaces: [pay], tenants: [default, acme]}
    - {role: admin, users: [ann]}
`)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Auth.Enabled || len(c.Auth.Roles) != 1 || len(c.Auth.Bindings) != 2 {
		t.Fatalf("%+v", c.Auth)
	}
	if b := c.Auth.Bindings[0]; b.Role != "tailer" || strings.Join(b.Namespaces, "") != "pay" || strings.Join(b.Tenants, ",") != "default,acme" || b.Groups[0] != "pay-devs" {
		t.Errorf("%+v", b)
	}
	for text, want := range map[string]string{
		"auth: {bindings: [{role: boss, groups: [a]}]}":        `there is no role "boss"`,
		"auth: {bindings: [{role: admin, group: [a]}]}":        "group",
		"auth: {enable: true}":                                 "enabled",
		"auth: {roles: [{name: x, permissions: [logs.raed]}]}": "logs.raed",
	} {
		_, err := load(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "signalbox.yml:") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
