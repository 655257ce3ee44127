package suites

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// pyrraProgram prints the rules of a file, as pyrra generate writes them; Pyrra's whole program needs its pages and
// modules that are not to be had everywhere.
const pyrraProgram = `package main

import (
	"context"
	"fmt"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/pyrra-dev/pyrra/kubernetes/api/v1alpha1"
	"github.com/pyrra-dev/pyrra/slo"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	var object v1alpha1.ServiceLevelObjective
	check(yaml.UnmarshalStrict(text, &object))
	_, err = object.ValidateCreate(context.Background(), &object)
	check(err)
	objective, err := object.Internal()
	check(err)
	increases, err := objective.IncreaseRules(slo.GenerationOptions{})
	check(err)
	burns, err := objective.Burnrates(slo.GenerationOptions{})
	check(err)
	out, err := yaml.Marshal(monitoring.PrometheusRuleSpec{Groups: []monitoring.RuleGroup{increases, burns}})
	check(err)
	_, err = os.Stdout.Write(out)
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`

// The alerts that Pyrra's own code generates of its example files are those that import and export make of them.
func TestAlertsOfPyrraFilesArePyrras(t *testing.T) {
	dir := checkout(t, "pyrra")
	program := overlaid(t, dir, "generator/main.go", pyrraProgram)
	files, alerts := 0, 0
	for _, file := range yamls(t, dir, []string{"examples"}) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "kind: ServiceLevelObjective") || strings.Contains(string(text), "\n---\n") || strings.Contains(string(text), "kind: CustomResourceDefinition") {
			continue // of several documents Pyrra reads one
		}
		generated, err := exec.Command(program, file).Output()
		exported, ours := exec.Command(binary(t), "slo", "export", file).Output()
		if err != nil || ours != nil {
			t.Errorf("%s: Pyrra %v, Signalbox %v", file, err, ours)
			continue
		}
		files++
		theirs, own := pyrraAlerts(t, rulesOf(t, generated)), pyrraAlerts(t, rulesOf(t, exported))
		alerts += len(theirs)
		if !slices.Equal(theirs, own) {
			t.Errorf("%s:\nPyrra:     %s\nSignalbox: %s", file, strings.Join(theirs, "\n           "), strings.Join(own, "\n           "))
		}
	}
	t.Logf("%d files, %d alerts", files, alerts)
}

var (
	pyrraRow = regexp.MustCompile(`burnrate(\w+)\{.*?\}\s*> \((\d+) \* \(1-([\d.]+)\)\)`)
	absentOf = regexp.MustCompile(`^absent\(`)
)

// pyrraAlerts are alerts as text: name, labels, waiting time and the limit of each window. Alerts about missing data are one:
// that about each further metric is said by import to be missing.
func pyrraAlerts(t *testing.T, rules []rule) (all []string) {
	for _, r := range rules {
		if r.Alert == "" {
			continue
		}
		limits := map[string]float64{}
		for _, m := range pyrraRow.FindAllStringSubmatch(r.Expr, -1) {
			factor, _ := strconv.ParseFloat(m[2], 64)
			target, _ := strconv.ParseFloat(m[3], 64)
			limits[duration(t, m[1])] = factor * (1 - target)
		}
		for _, m := range ourRow.FindAllStringSubmatch(r.Expr, -1) {
			limits[duration(t, m[1])], _ = strconv.ParseFloat(m[2], 64)
		}
		maps.DeleteFunc(r.Labels, func(name, _ string) bool { return strings.HasPrefix(name, "signalbox_") })
		absent := absentOf.MatchString(r.Expr)
		if absent {
			delete(r.Labels, "le") // of the metric that is the further one
		}
		text := fmt.Sprint(r.Alert, " ", r.Labels, " for ", duration(t, r.For))
		for _, window := range slices.Sorted(maps.Keys(limits)) {
			text += fmt.Sprintf(" %s > %.9f", window, limits[window])
		}
		if !absent || !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

// duration is written one way: 90m and 1h30m are the same.
func duration(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return "0s"
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// overlaid builds a program that stands in a module without being written there.
func overlaid(t *testing.T, dir, name, source string) string {
	t.Helper()
	tmp := t.TempDir()
	file, overlay, path := filepath.Join(tmp, "main.go"), filepath.Join(tmp, "overlay.json"), filepath.Join(tmp, "program")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, name): file}})
	if err != nil {
		t.Fatal(err)
	}
	for to, content := range map[string]string{file: source, overlay: string(text)} {
		if err := os.WriteFile(to, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inDir(t, dir, "go", "build", "-trimpath", "-overlay", overlay, "-o", path, "./"+filepath.Dir(name))
	return path
}
