package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli"
)

// What export writes is what check, and rule_files, take.
func TestExportedRulesAreObjectsThatCheckTakes(t *testing.T) {
	for _, args := range [][]string{
		{"rules", "export", "--namespace", "monitoring", "--label", "release=prometheus", "../../examples/broker/rules/*.yml"},
		{"slo", "export", "--format", "prometheusrule", "../../examples/broker/slos/*.yaml"},
	} {
		var out, errOut bytes.Buffer
		if status := cli.Main(context.Background(), "dev", args, &out, &errOut); status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, errOut.String())
		}
		if n := strings.Count(out.String(), "kind: PrometheusRule\n"); n == 0 || n != strings.Count(out.String(), "\n---\n")+1 {
			t.Errorf("%v: %d objects, %d separators", args, n, strings.Count(out.String(), "\n---\n"))
		}
		file := filepath.Join(t.TempDir(), "objects.yml")
		if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		if status := cli.Main(context.Background(), "dev", []string{"check", "rules", file}, &out, &errOut); status != 0 || !strings.Contains(out.String(), "1 rule files are good") {
			t.Errorf("%v: check: status %d: %s%s", args, status, out.String(), errOut.String())
		}
	}
}
