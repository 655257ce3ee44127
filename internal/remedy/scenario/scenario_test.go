package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/remedy/contract"
)

const examples = "../../../examples/broker/remedies"

func TestTheScenariosOfTheExamplesComeTrue(t *testing.T) {
	remedies, problems := contract.Load([]string{examples + "/*.yml"})
	for _, p := range problems {
		t.Error(p)
	}
	played, problems := Play(t.Context(), remedies, []string{examples + "/scenarios/*.yml"})
	for _, p := range problems {
		t.Error(p)
	}
	if played < 12 {
		t.Errorf("%d scenarios were played", played)
	}
}

// A scenario that does not come true is said with its line, or the ones above would prove nothing.
func TestAScenarioThatDoesNotComeTrueIsSaid(t *testing.T) {
	remedies, _ := contract.Load([]string{examples + "/*.yml"})
	text, err := os.ReadFile(examples + "/scenarios/happy-way.yml")
	if err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]string{
		"state: verifying, replicas: 6": "the number of replicas is 6, and should be 7",
		"done: 1, undone: 0":            "the number of actions taken back is 0, and should be 4",
		"tells: RemedyActed":            "what people are told",
		"state: holding":                "the state is holding",
		"remedy: scale-consumers":       `remedy: "scale-consumer" is in none of the files`,
	} {
		bad := map[string]string{
			"state: verifying, replicas: 6": "state: verifying, replicas: 7", "done: 1, undone: 0": "done: 1, undone: 4", "tells: RemedyActed": "tells: Nothing",
			"state: holding": "state: effective", "remedy: scale-consumers": "remedy: scale-consumer",
		}[old]
		file := filepath.Join(t.TempDir(), "bad.yml")
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, bad, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problems := Play(t.Context(), remedies, []string{file})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) || problems[0].Line < 2 {
			t.Errorf("%s: %v", bad, problems)
		}
	}
}
