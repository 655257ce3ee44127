package convert_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/convert"
)

const sloth = `version: prometheus/v1
service: shop
slos:
  - name: ok
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(errors_total[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: Shop
`

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	slo := command.Group(&cobra.Command{Use: "slo"}, convert.SLOImport(), convert.SLOExport())
	oncall := command.Group(&cobra.Command{Use: "oncall"}, convert.OnCallImport())
	return clitest.Run(t, []*cobra.Command{slo, oncall, convert.Rules()}, args...)
}

// files writes files into an empty folder and goes there.
func files(t *testing.T, texts map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range texts {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What import writes means the same as what it read: both export to the same rules.
func TestImportedSLOsExportToTheRulesOfTheOriginal(t *testing.T) {
	files(t, map[string]string{"sloth.yml": sloth})
	if err := os.Mkdir("out", 0o755); err != nil {
		t.Fatal(err)
	}
	status, out, errOut := run(t, "slo", "import", "--output", "out", "sloth.yml")
	if status != 0 || out != "out/sloth.yaml: 1 SLOs of sloth.yml\n" {
		t.Fatalf("exit %d, %q, %q", status, out, errOut)
	}
	_, before, _ := run(t, "slo", "export", "sloth.yml")
	status, after, errOut := run(t, "slo", "export", "out/sloth.yaml")
	if status != 0 || before != after || !strings.Contains(after, "requests_total") {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", status, errOut, after, before)
	}
	if status, _, errOut := run(t, "slo", "import", "out/sloth.yaml"); status != 3 || !strings.Contains(errOut, "out/sloth.yaml is OpenSLO already") {
		t.Errorf("imported again: exit %d, %q", status, errOut)
	}
}

func TestImportSeparatesDocumentsOfSeveralFiles(t *testing.T) {
	files(t, map[string]string{"a.yml": sloth, "b.yml": strings.Replace(sloth, "name: ok", "name: fast", 1)})
	status, out, errOut := run(t, "slo", "import", "*.yml")
	if status != 0 || errOut != "" {
		t.Fatalf("exit %d, %q", status, errOut)
	}
	files(t, map[string]string{"both.yaml": out})
	if status, rules, errOut := run(t, "slo", "export", "both.yaml"); status != 0 || !strings.Contains(rules, "shop-ok") || !strings.Contains(rules, "shop-fast") {
		t.Errorf("what was printed reads as: exit %d, %s%s", status, rules, errOut)
	}
}

func TestImportNeverWritesOverWhatItReadAndNothingWhenOneFileIsWrong(t *testing.T) {
	files(t, map[string]string{"a.yaml": sloth, "bad.yaml": strings.Replace(sloth, "99.9", "100", 1), "out/keep": ""})
	for _, folder := range []string{".", "../" + filepath.Base(dir(t))} {
		status, _, errOut := run(t, "slo", "import", "--output", folder, "a.yaml")
		if text, err := os.ReadFile("a.yaml"); status != 3 || !strings.Contains(errOut, "a.yaml would be overwritten; choose another --output") || err != nil || string(text) != sloth {
			t.Errorf("%s: exit %d, %q, %v", folder, status, errOut, err)
		}
	}
	status, out, errOut := run(t, "slo", "import", "--output", "out", "a.yaml", "bad.yaml")
	if left, _ := os.ReadDir("out"); status != 3 || out != "" || !strings.Contains(errOut, "bad.yaml:5: ") || len(left) != 1 {
		t.Errorf("exit %d, %q, %q, %v", status, out, errOut, left)
	}
}

func dir(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return here
}

func TestExportRefusesWhatItCannotWrite(t *testing.T) {
	files(t, map[string]string{
		"ok.yml":    sloth,
		"rules.yml": "groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]\n",
		"not.yml":   "- 1\n",
	})
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"slo export --format yaml ok.yml", 2, `--format "yaml" is unknown: prometheus-rules and prometheusrule are written`},
		{"slo export none.yml", 3, "none.yml: there is no such file"},
		{"slo export not.yml", 3, "not.yml:1: "},
		{"rules export none.yml", 3, "none.yml: there is no such file"},
		{"rules export not.yml", 3, "not.yml: "},
		{"rules export --label nonsense rules.yml", 2, "nonsense"},
		{"rules export", 2, "requires at least 1 arg"},
	} {
		if status, out, errOut := run(t, strings.Fields(c.args)...); status != c.status || out != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%s: exit %d, %q, %q", c.args, status, out, errOut)
		}
	}
}
