package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMistakesAreNamedWithLineAndCure(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"an empty file", "", "p.yml:1: it holds no probes"},
		{"no YAML", "probes: [", "p.yml:1"},
		{"two documents", "probes: []\n---\nprobes: []", "second YAML document"},
		{"a misspelt field", "probes:\n  - name: a\n    intervall: 3s\n", `p.yml:3: probes[0]: unknown key "intervall"; did you mean "interval"?`},
		{"a misspelt section", "prbes: []\n", `p.yml:1: unknown key "prbes"; did you mean "probes"?`},
		{"a misspelt field of a module", "modules:\n  m:\n    prober: http\n    http:\n      fail_if_sll: true\n", `p.yml:5: modules.m: unknown key "fail_if_sll"; did you mean "fail_if_ssl"?`},
		{"a bad pattern in a module", "modules:\n  m:\n    prober: http\n    http: {fail_if_body_matches_regexp: ['(']}\n", "p.yml:4: modules.m: "},
		{"an unknown prober", "modules:\n  m:\n    prober: htp\n", `p.yml:3: modules.m.prober: "htp" is none of`},
		{"a duration that is none", "probes:\n  - name: a\n    interval: soon\n", "p.yml:3: probes[0].interval: not a valid duration"},
		{"a secret that is no mapping", "modules:\n  m:\n    prober: http\n    http: {basic_auth: SECRET}\n", "p.yml:4: modules.m: must be a mapping of keys to values, is a text"},
		{"a section twice", "probes: []\nprobes: []\n", "p.yml:2: probes stands here twice"},
		{"an alias of nothing", "modules: {m: *x}\n", "p.yml:1: *x stands for nothing"},
		{"no name", "probes:\n  - {module: http_2xx, target: 'http://a'}\n", "p.yml:2: probes[0].name: must be given"},
		{"an unknown module", "probes:\n  - name: a\n    module: http_2x\n    target: 'http://a'\n", `p.yml:3: probes[0].module: there is no module "http_2x"; did you mean "http_2xx"?`},
		{"no target", "probes:\n  - {name: a, module: http_2xx}\n", "p.yml:2: probes[0].target: \"\": must be given"},
		{"a target without a port", "probes:\n  - {name: a, module: tcp_connect, target: db}\n", "give host:port"},
		{"a target of another scheme", "probes:\n  - {name: a, module: http_2xx, target: 'ftp://a'}\n", "give a URL"},
		{"an interval too short", "probes:\n  - {name: a, module: http_2xx, target: 'http://a', interval: 10ms}\n", "interval: must be at least 1s"},
		{"a timeout longer than the interval", "probes:\n  - {name: a, module: http_2xx, target: 'http://a', interval: 10s, timeout: 11s}\n", "timeout: 11s is more than the interval"},
		{"a label that is taken", "probes:\n  - {name: a, module: http_2xx, target: 'http://a', labels: {target: x}}\n", "labels.target: the series of probes have"},
		{"a label that is none", "probes:\n  - {name: a, module: http_2xx, target: 'http://a', labels: {'a-b': x}}\n", "labels.a-b: not a valid label name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Parse("p.yml", []byte(tc.text))
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			if text := strings.Join(got, "\n"); !strings.Contains(text, tc.want) || strings.Contains(text, "SECRET") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDefaultsAndModulesOfAFile(t *testing.T) {
	probes, problems := Parse("p.yml", []byte(`
modules:
  quick: {prober: tcp, timeout: 2s}
probes:
  - {name: a, module: http_2xx, target: "https://example.com"}
  - {name: b, module: quick, target: "db:5432", interval: 1m}
  - {name: c, module: icmp, target: "db", interval: 2s}
`))
	if len(problems) > 0 || len(probes) != 3 {
		t.Fatalf("%d probes, %v", len(probes), problems)
	}
	for i, want := range []struct{ interval, timeout time.Duration }{
		{30 * time.Second, 10 * time.Second}, {time.Minute, 2 * time.Second}, {2 * time.Second, 2 * time.Second},
	} {
		if p := probes[i]; p.Interval != want.interval || p.Timeout != want.timeout {
			t.Errorf("%s: every %s at most %s, want %s and %s", p.Name, p.Interval, p.Timeout, want.interval, want.timeout)
		}
	}
}

// One probe with a mistake, and those of a module with one, are left out; the others are taken.
func TestAMistakeCostsItsOwnProbesOnly(t *testing.T) {
	probes, problems := Parse("p.yml", []byte(`
modules:
  good: {prober: tcp}
  bad: {prober: tcp, tcp: {tsl: true}}
shared: &every {interval: 1m}
probes:
  - {name: a, module: good, target: "db:1"}
  - {name: b, module: bad, target: "db:1"}
  - {name: c, module: good, target: "db"}
  - {<<: *every, name: d, module: icmp, target: "db"}
`))
	var names []string
	for _, p := range probes {
		names = append(names, p.Name)
	}
	if strings.Join(names, " ") != "a d" || len(probes) == 2 && probes[1].Interval != time.Minute || len(problems) != 3 {
		t.Errorf("%v, %v", names, problems)
	}
}

func TestNamesAreUniqueOverFilesAndFilesMustExist(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"1.yml", "2.yml"} {
		writeFile(t, filepath.Join(dir, f), oneProbe)
	}
	_, problems := Load([]string{filepath.Join(dir, "*.yml"), filepath.Join(dir, "none.yml")})
	if len(problems) != 2 || !strings.Contains(problems[0].Error(), "there is no such file") || !strings.Contains(problems[1].Error(), "2.yml:1: name: \"a\" stands for another probe") {
		t.Errorf("problems: %v", problems)
	}
}

func TestAChangeOfAModuleChangesItsProbes(t *testing.T) {
	text := "modules: {m: {prober: tcp, tcp: {tls: false}}}\nprobes: [{name: a, module: m, target: 'a:1'}, {name: b, module: tcp_connect, target: 'a:1'}]\n"
	before, _ := Parse("p.yml", []byte(text))
	after, _ := Parse("p.yml", []byte(strings.Replace(text, "false", "true", 1)))
	if before[0].fingerprint == after[0].fingerprint || before[1].fingerprint != after[1].fingerprint {
		t.Errorf("changed: %t and %t, want true and false", before[0].fingerprint != after[0].fingerprint, before[1].fingerprint != after[1].fingerprint)
	}
}

func TestTheExampleIsGood(t *testing.T) {
	if probes, problems := Load([]string{"../../examples/broker/probes/*.yml"}); len(problems) > 0 || len(probes) == 0 {
		t.Errorf("%d probes, %v", len(probes), problems)
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("../../examples/broker/probes/platform.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(oneProbe))
	f.Add([]byte("modules: &m {a: {prober: http, http: {fail_if_body_matches_regexp: ['(']}}}\nprobes: *m"))
	f.Add([]byte("a: &a [*a]\nprobes: *a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		probes, problems := Parse("p.yml", text)
		if len(problems) > 0 {
			return
		}
		for _, p := range probes {
			if p.Name == "" || p.Target == "" || p.Interval < leastInterval || p.Timeout <= 0 || p.Timeout > p.Interval {
				t.Errorf("taken though it cannot run: %+v", p)
			}
		}
	})
}
