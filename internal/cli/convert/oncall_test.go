package convert_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/oncall"
)

const goAlert = `{"data":{"users":{"nodes":[{"id":"ua","name":"Ada","email":"ada@example.com","contactMethods":[],"notificationRules":[]}]},
"schedules":{"nodes":[{"id":"s","name":"Edge","timeZone":"UTC","targets":[{"target":{"id":"ua","type":"user","name":"Ada"},"rules":[{"start":"00:00","end":"00:00","weekdayFilter":[true,true,true,true,true,true,true]}]}],
"temporarySchedules":[{"start":"2090-01-01T00:00:00Z","end":"2090-01-02T00:00:00Z","shifts":[{"userID":"ua","start":"2090-01-01T00:00:00Z","end":"2090-01-02T00:00:00Z"}]}]}]}}}`

func TestExportsAreImportedIntoAFolder(t *testing.T) {
	dir := t.TempDir()
	export, out := filepath.Join(dir, "export.json"), filepath.Join(dir, "out")
	if err := os.WriteFile(export, []byte(goAlert), 0o600); err != nil {
		t.Fatal(err)
	}
	status, text, errOut := run(t, "oncall", "import", "--from", "goalert", "--output", out, export)
	if status != 0 || errOut != "" || !strings.Contains(text, "overrides.sh") {
		t.Fatalf("status %d, %s%s", status, text, errOut)
	}
	roster, problems := oncall.Load([]string{filepath.Join(out, "oncall.yml")})
	if len(problems) > 0 || len(roster.Schedules) != 1 || len(roster.People) != 1 {
		t.Errorf("%+v %+v", roster, problems)
	}
	if commands, err := os.ReadFile(filepath.Join(out, "overrides.sh")); err != nil || !strings.HasPrefix(string(commands), "signalbox oncall override edge --person ada --start 2090-01-01T00:00:00Z") {
		t.Errorf("%s %v", commands, err)
	}
	if status, _, errOut := run(t, "oncall", "import", "--from", "goalert", "--output", out, export); status == 0 || !strings.Contains(errOut, "exists") {
		t.Errorf("status %d: %s", status, errOut)
	}
	if status, text, _ := run(t, "oncall", "import", "--from", "goalert", export); status != 0 || !strings.Contains(text, "people:") || !strings.Contains(text, "\n# signalbox oncall override edge") {
		t.Errorf("status %d, %s", status, text)
	}
}

func TestWhatIsNotImportedIsNamed(t *testing.T) {
	export := filepath.Join(t.TempDir(), "export.json")
	if err := os.WriteFile(export, []byte(strings.ReplaceAll(goAlert, `"user"`, `"slackChannel"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, text, errOut := run(t, "oncall", "import", "--from", "goalert", export); status != 1 || !strings.Contains(errOut, "schedule Edge, Ada: it is a slackChannel") || !strings.Contains(text, "name: ada") {
		t.Errorf("status %d, %s%s", status, text, errOut)
	}
	for _, args := range [][]string{{"--from", "none", export}, {export}, {"--from", "goalert"}} {
		if status, _, _ := run(t, append([]string{"oncall", "import"}, args...)...); status < 2 {
			t.Errorf("%v: status %d", args, status)
		}
	}
}
