package definition_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

func TestAPatternThatMatchesNothingIsSaid(t *testing.T) {
	dir := t.TempDir()
	for name, warning := range map[string]bool{"*.yaml": true, "edge.yaml": false} {
		_, problems := definition.Load([]string{filepath.Join(dir, name)})
		if len(problems) != 1 || problems[0].Warning != warning || !strings.Contains(problems[0].Error(), name) {
			t.Errorf("%s: got %+v, want one problem that names it, a warning: %v", name, problems, warning)
		}
	}
}
