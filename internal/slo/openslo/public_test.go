package openslo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// refusal is the first problem that is no warning.
func refusal(problems []openslo.Problem) error {
	for _, p := range problems {
		if !p.Warning {
			return p
		}
	}
	return nil
}

// accepted is why what import writes of good documents would not be taken as the same SLOs.
func accepted(docs openslo.Documents) error {
	if err := openslo.RoundTrip(docs); err != nil {
		return err
	}
	text, err := openslo.Format(docs)
	if err != nil {
		return err
	}
	again, problems := openslo.Parse("again.yaml", text)
	if err := refusal(problems); err != nil {
		return err
	}
	_, problems = definition.Define(again)
	return refusal(problems)
}

func TestWhatImportWritesIsAccepted(t *testing.T) {
	for name, text := range openslo.Forms() {
		docs, problems := openslo.Parse("a.yaml", []byte(text))
		if err := refusal(problems); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := accepted(docs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fair are the reasons for which a public file may be refused: its own tool refuses it too, it
// needs a program of that tool, or it asks a store that is not ours.
var fair = regexp.MustCompile(`is a store of its own, which is not asked|is code of Sloth's and is not run|are code of Sloth's and are not run|` +
	// Files that are there to be refused by their own tools.
	`ersion is "(foo|prometheus/v999)"|the name ".* .*" is not usable|spec.service is empty|the SLI needs one of events and raw|an objective of 101 %|was defined before|` +
	// MetricsQL, in Sloth's example for VictoriaMetrics.
	`unknown function with name "histogram_share"`)

// TestPublicFilesOfOtherTools reads, writes and reads again every example file of other tools below
// the folder that SIGNALBOX_SLO_EXAMPLES names. See CONTRIBUTING for what is put there.
func TestPublicFilesOfOtherTools(t *testing.T) {
	root := os.Getenv("SIGNALBOX_SLO_EXAMPLES")
	if root == "" {
		t.Skip("SKIPPED: SIGNALBOX_SLO_EXAMPLES names no folder with the example files of Sloth, Pyrra, OpenSLO, oslo and slo-generator")
	}
	suites, err := os.ReadDir(root)
	if err != nil || len(suites) == 0 {
		t.Fatalf("%s: %v, %d suites", root, err, len(suites))
	}
	for _, suite := range suites {
		var read, refused, all int
		err := filepath.WalkDir(filepath.Join(root, suite.Name()), func(path string, d fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || d.IsDir() || ext != ".yml" && ext != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), "ersion:") {
				return err
			}
			all++
			// OpenSLO's examples name no store: `type: Any` stands for one.
			docs, problems := openslo.Parse(path, []byte(strings.ReplaceAll(string(text), "type: Any", "type: Prometheus")))
			_, more := definition.Define(docs)
			switch err := refusal(append(problems, more...)); {
			case err == nil:
				if err := accepted(docs); err != nil {
					t.Errorf("%s: %v", path, err)
				}
				read++
			case fair.MatchString(err.Error()):
				t.Logf("%s: %v", suite.Name(), err)
				refused++
			default:
				t.Errorf("%s is refused: %v", suite.Name(), err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d files, %d read, written as the same and accepted, %d refused with a reason", suite.Name(), all, read, refused)
	}
}
