package definition_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// slos writes a file with the SLO of a name and an objective.
func slos(t *testing.T, path, name, objective string) {
	t.Helper()
	text := fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: s
  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: sum(ok_total)}}}, total: {metricSource: {spec: {query: sum(all_total)}}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: %s}]
`, name, objective)
	next := path + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func inForce(c *definition.Catalog) string {
	var out []string
	for _, d := range c.Definitions() {
		out = append(out, fmt.Sprintf("%s=%v", d.Name, d.Objective))
	}
	return strings.Join(out, " ")
}

func TestABadSLOFileLeavesItsLastGoodVersionInForceAndTheOthersTakeEffect(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	c, err := definition.NewCatalog(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	slos(t, a, "a", "0.9")
	slos(t, b, "b", "0.9")
	if err := c.Reload([]string{dir + "/*.yaml"}); err != nil || inForce(c) != "a=0.9 b=0.9" {
		t.Fatal(err, inForce(c))
	}
	slos(t, a, "a", "0.99")
	slos(t, b, "b", "7")
	err = c.Reload([]string{dir + "/*.yaml"})
	if err == nil || !strings.Contains(err.Error(), "b.yaml:8: ") || strings.Contains(err.Error(), "a.yaml") || !strings.Contains(err.Error(), "the last good version of the file stays in force") {
		t.Error(err)
	}
	if got := inForce(c); got != "a=0.99 b=0.9" {
		t.Errorf("in force: %s", got)
	}
	if ps := c.Problems(); len(ps) != 1 || ps[0].Severity != "critical" || ps[0].Cure == "" {
		t.Errorf("problems: %v", ps)
	}
}

// What is prepared is of one reading: files that change before it is put into force are of the next one, and
// who looks meanwhile sees one whole set.
func TestReloadsWhileFilesChangeNeverMixTwoReadings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	c, err := definition.NewCatalog(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	slos(t, file, "a", "0.9")
	p := c.Prepare([]string{file})
	slos(t, file, "a", "0.99")
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := inForce(c); got != "a=0.9" {
		t.Errorf("in force: %s", got)
	}
	var writer, readers sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := range 100 {
			slos(t, file, "a", []string{"0.9", "0.99", "7"}[i%3])
			_ = c.Reload([]string{file}) // one of three has an error
		}
	})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := inForce(c); got != "a=0.9" && got != "a=0.99" {
					t.Errorf("in force: %q", got)
					return
				}
			}
		})
	}
	writer.Wait()
	readers.Wait()
}
