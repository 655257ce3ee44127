package redact_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

func TestSecretsInTextAreMaskedAndTheRestStays(t *testing.T) {
	for in, want := range map[string]string{
		"https://bob:hunter2@db.example:5432/x?y=1":                     "https://bob:xxxxx@db.example:5432/x?y=1",
		"https://ghp_123@git.example/x":                                 "https://xxxxx@git.example/x",
		"https://:hunter2@h":                                            "https://xxxxx@h",
		"https://a:b@c@h/":                                              "https://a:xxxxx@h/",
		"postgres://u:p%40ss@h/db":                                      "postgres://u:xxxxx@h/db",
		"https://h/x?api_key=abc&q=1&access%5Ftoken=abc#x":              "https://h/x?api_key=xxxxx&q=1&access%5Ftoken=xxxxx#x",
		"https://h/cb#access_token=abc&state=1":                         "https://h/cb#access_token=xxxxx&state=1",
		"https://h/x?X-Amz-Signature=abc&X-Amz-Date=1&sig=abc&code=abc": "https://h/x?X-Amz-Signature=xxxxx&X-Amz-Date=1&sig=xxxxx&code=xxxxx",
		`Get "http://u:p@h/?token=a": dial tcp: refused`:                `Get "http://u:xxxxx@h/?token=xxxxx": dial tcp: refused`,
		"two: http://a:b@h, http://c:d@i/":                              "two: http://a:xxxxx@h, http://c:xxxxx@i/",
		`header Authorization: Basic dXNlcjpwYXNz sent`:                 `header Authorization: Basic xxxxx sent`,
		`map[Authorization:[Bearer abcdefgh]]`:                          `map[Authorization:[Bearer xxxxx]]`,
		`{"authorization":"Bearer abcdefgh"}`:                           `{"authorization":"Bearer xxxxx"}`,
		"nothing to see: a@b.example, http://h:80/path?q=token":         "nothing to see: a@b.example, http://h:80/path?q=token",
		"http://h/@scope/pkg":                                           "http://h/@scope/pkg",
		"the basic authentication of the bearer":                        "the basic authentication of the bearer",
		"http://h/oauth?token_url=x&password_file=y":                    "http://h/oauth?token_url=x&password_file=y",
		"": "",
	} {
		if d := cmp.Diff(want, redact.Text(in)); d != "" {
			t.Errorf("%s: %s", in, d)
		}
		if again := redact.Text(redact.Text(in)); again != redact.Text(in) {
			t.Errorf("%s: masked twice it is %s", in, again)
		}
	}
}

func TestSecretsInYAMLAreMasked(t *testing.T) {
	in := `global:
  external_labels:
    region: eu
scrape_configs:
- job_name: a
  params:
    api_key:
    - S1
    module: [x]
    token: S2
  proxy_url: http://u:S3@proxy:3128
  authorization:
    type: Bearer
    credentials: <secret>
    credentials_file: /run/token
  http_headers:
    X-Api-Key:
      values:
      - S4
    X-Plain:
      values:
        - seen
  basic_auth: {}
  static_configs:
  - targets:
    - http://h?sig=S5
  - password: S6
    username: bob
`
	want := strings.NewReplacer("S1", "xxxxx", "S2", "xxxxx", "S3", "xxxxx", "S4", "xxxxx", "S5", "xxxxx", "S6", "xxxxx").Replace(in)
	if d := cmp.Diff(want, redact.YAML(in)); d != "" {
		t.Error(d)
	}
}

func FuzzText(f *testing.F) {
	f.Add("https://a:b@c?token=d&e#f")
	f.Add("://@?=&;")
	f.Fuzz(func(t *testing.T, s string) {
		once := redact.Text(s)
		if !strings.Contains(s, "://") && !strings.Contains(strings.ToLower(s), "bearer") && !strings.Contains(strings.ToLower(s), "authorization") && once != s {
			t.Errorf("%q became %q", s, once)
		}
		redact.YAML(s)
	})
}
