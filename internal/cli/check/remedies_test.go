package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckRemediesPlaysScenariosAndSaysWhatIsWrong(t *testing.T) {
	const examples = "../../../examples/broker/remedies"
	status, out, errOut := run(t, "check", "remedies", examples+"/*.yml", "--scenario", examples+"/scenarios/happy-way.yml")
	if status != 0 || !strings.Contains(out, "scale-consumers: scale for QueueBacklogOld (suggest, dry run)") || !strings.Contains(out, "1 scenario came true") {
		t.Errorf("the example: exit %d, %s %s", status, out, errOut)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("remedies:\n  - name: a\n    mod: auto\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errOut = run(t, "check", "remedies", bad)
	if status == 0 || !strings.Contains(errOut, `bad.yml:3: remedies[0]: unknown key "mod"; did you mean "mode"?`) {
		t.Errorf("a misspelt key: exit %d, %s", status, errOut)
	}
}
