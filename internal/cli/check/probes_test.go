package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckProbesSaysWhatEachDoesAndWhatIsWrong(t *testing.T) {
	status, out, errOut := run(t, "check", "probes", "../../../examples/broker/probes/*.yml")
	if status != 0 || !strings.Contains(out, "signalbox-ready: ready to /-/ready every 10 s, at most 5 s") || !strings.Contains(out, "1 probe in 1 file: good") {
		t.Errorf("the example: exit %d, %s %s", status, out, errOut)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("probes:\n  - name: a\n    modul: http_2xx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errOut = run(t, "check", "probes", bad)
	if status == 0 || !strings.Contains(errOut, `bad.yml:3: probes[0]: unknown key "modul"; did you mean "module"?`) {
		t.Errorf("a misspelt field: exit %d, %s", status, errOut)
	}
}
