package suites

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
)

// Samples of 1970 are taken.
const (
	promqlConfig = `
query: {enable_features: [%s]}
metrics: {retention: 80y, out_of_order_window: 80y}
self_query: {interval: 1h}
`
	prometheusConfig = `
storage: {tsdb: {out_of_order_time_window: 80y, retention: {time: 80y}}}
`
)

var queryFeatures = []string{"promql-experimental-functions", "promql-extended-range-selectors", "promql-binop-fill-modifiers", "promql-delayed-name-removal"}

// Prometheus' own scripts over HTTP: each load is written by remote write, each eval asked of the query API, and the
// script runner compares. The reference runs beside: what it passes must pass here. Evals about native
// histograms, which the runner cannot judge over JSON, are asked of both, and the answers must be alike.
// -short runs three files without the reference.
func TestPrometheusOwnQueryScripts(t *testing.T) {
	b, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/prometheus").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(b)), "promql", "promqltest", "testdata", "*.test"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d script files, %v", len(files), err)
	}
	for name, features := range map[string][]string{"default flags": nil, "all features": queryFeatures} {
		if testing.Short() && features == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := &run{features: features, beside: !testing.Short()}
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".test")
				if testing.Short() && name != "operators" && name != "selectors" && name != "staleness" {
					continue
				}
				t.Run(name, func(t *testing.T) { r.script(t, name, file) })
			}
			t.Logf("%s\n%s", name, r.score)
		})
	}
}

// score counts evals.
type score struct {
	pass, fail, theirPass, theirFail, alike, same, different int
}

func (s score) String() string {
	return fmt.Sprintf("Signalbox: %d pass, %d fail; the reference: %d pass, %d fail; %d fail in both; native histograms: %d answered alike, %d not",
		s.pass, s.fail, s.theirPass, s.theirFail, s.alike, s.same, s.different)
}

// run is all scripts with one set of features.
type run struct {
	features     []string
	beside       bool // the reference runs beside us
	ours, theirs *server
	native       bool // native histograms were loaded since the last clear
	score        score
}

func (r *run) fresh() {
	for _, s := range []*server{r.ours, r.theirs} {
		if s != nil {
			s.stop()
		}
	}
	r.ours, r.theirs, r.native = nil, nil, false
}

func (r *run) start(t *testing.T) (bases []string) {
	if r.ours == nil {
		r.ours = start(t, fmt.Sprintf(promqlConfig, strings.Join(r.features, ", ")))
		if r.beside {
			r.theirs = startPrometheus(t, prometheusConfig, r.features)
		}
	}
	bases = []string{r.ours.web}
	if r.beside {
		bases = append(bases, r.theirs.web)
	}
	return bases
}

func (r *run) script(t *testing.T, name, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.fresh()
	for _, b := range blocks(string(raw)) {
		if b.kind == "clear" {
			r.fresh()
			continue
		}
		bases := r.start(t)
		if b.kind == "load" {
			r.native = r.native || strings.Contains(b.text, "{{") || strings.HasPrefix(b.text, "load_with_nhcb")
			open := func(testing.TB) storage.Storage { return &remote{bases: bases} }
			if failure := try(t, func(t *testing.T) { promqltest.RunTestWithStorage(t, b.text, asking(bases[0]), open) }); failure != "" {
				t.Errorf("%s:%d: %s", file, b.line, failure)
			}
			continue
		}
		r.eval(t, fmt.Sprintf("%s/%d", name, b.line), b.text)
	}
}

// eval judges one eval. Where native histograms are about, a failure may be for want of the schema:
// then the reference's answer decides.
func (r *run) eval(t *testing.T, where, text string) {
	open := func(testing.TB) storage.Storage { return &remote{} }
	of := func(e engine) string {
		return try(t, func(t *testing.T) { promqltest.RunTestWithStorage(t, text, e, open) })
	}
	ours := of(asking(r.ours.web))
	if !r.beside {
		if ours != "" && !r.native {
			t.Errorf("%s: %s\n%s", where, text, ours)
		}
		return
	}
	theirs := of(asking(r.theirs.web))
	if r.native && (ours != "" || theirs != "") {
		var found []string
		of(comparing(r.ours.web, r.theirs.web, func(d string) { found = append(found, d) }))
		if slices.ContainsFunc(found, func(d string) bool { return d != "" }) {
			r.score.different++
			t.Errorf("%s: not answered alike: %s\n%s", where, text, strings.Join(found, "\n"))
		} else {
			r.score.same++
		}
		return
	}
	r.count(t, where, text, ours, theirs)
}

func (r *run) count(t *testing.T, where, text, ours, theirs string) {
	tally := func(failure string, pass, fail *int) {
		if failure == "" {
			*pass++
		} else {
			*fail++
		}
	}
	tally(ours, &r.score.pass, &r.score.fail)
	tally(theirs, &r.score.theirPass, &r.score.theirFail)
	switch {
	case ours != "" && theirs != "":
		r.score.alike++
		t.Logf("fails in both: %s: %s\n%s", where, text, ours)
	case ours != "":
		t.Errorf("%s: %s\n%s", where, text, ours)
	}
}

// try runs a test of its own, so that a failure is an answer; the script runner takes nothing but a *testing.T.
func try(t *testing.T, test func(*testing.T)) (failure string) {
	printed, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	stdout := os.Stdout
	os.Stdout = printed
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "eval", F: test}})
	os.Stdout = stdout
	if ok {
		return ""
	}
	text, err := os.ReadFile(printed.Name())
	if err != nil {
		t.Fatal(err)
	}
	return "failed:\n" + string(text)
}

type block struct {
	line       int
	kind, text string
}

// head begins a command, which may be indented.
var head = regexp.MustCompile(`^\s*(load|eval|clear|ignore|resume)(?:_\w+)?(?:\s|$)`)

func blocks(script string) (out []block) {
	for i, line := range strings.Split(script, "\n") {
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if m := head.FindStringSubmatch(line); m != nil {
			out = append(out, block{i + 1, m[1], line + "\n"})
		} else if len(out) > 0 {
			out[len(out)-1].text += line + "\n"
		}
	}
	return out
}
