package slo

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Every YAML block of the documentation is one that loads.
func TestTheDocumentationsExamplesLoad(t *testing.T) {
	text, err := os.ReadFile("../../docs/slo.md")
	if err != nil {
		t.Fatal(err)
	}
	documents, sections := 0, 0
	for rest := string(text); ; {
		_, after, ok := strings.Cut(rest, "```yaml\n")
		if !ok {
			break
		}
		block, tail, _ := strings.Cut(after, "```")
		rest = tail
		if strings.HasPrefix(block, "apiVersion:") {
			documents++
			docs, problems := openslo.Parse("slo.md", []byte(block))
			defs, more := definition.Define(docs)
			if problems = append(problems, more...); len(problems) > 0 || len(defs) != 1 {
				t.Errorf("%v in\n%s", problems, block)
			}
			continue
		}
		var section struct {
			SLO   Config   `yaml:"slo"`
			Files []string `yaml:"slo_files"`
			// internal/config loads it.
			Scrape any `yaml:"scrape_configs"`
		}
		if err := yaml.UnmarshalWithOptions([]byte(block), &section, yaml.Strict()); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		if len(section.SLO.BurnAlerts) > 0 {
			sections++
			if errs := section.SLO.Validate(); len(errs) > 0 {
				t.Error(errs)
			}
			want := DefaultConfig()
			if got := section.SLO; len(got.BurnAlerts) != len(want.BurnAlerts) || !reflect.DeepEqual(got.BurnAlerts[3], want.BurnAlerts[3]) || got.StaleAfter != want.StaleAfter || got.CPUShare != want.CPUShare || got.MinBadEvents != want.MinBadEvents {
				t.Errorf("the documented defaults are not the defaults: %+v", got)
			}
		}
	}
	if documents < 3 || sections != 1 {
		t.Errorf("found %d documents and %d sections", documents, sections)
	}
}
