package suites

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"go.yaml.in/yaml/v3"
)

// rule is a rule of Prometheus, plain or within a PrometheusRule.
type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rulesOf(t *testing.T, text []byte) (all []rule) {
	t.Helper()
	type groups struct {
		Groups []struct{ Rules []rule }
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc struct {
			groups `yaml:",inline"`
			Spec   groups
		}
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		for _, g := range append(doc.Groups, doc.Spec.Groups...) {
			all = append(all, g.Rules...)
		}
	}
}

// burn is a burn alert as a person and a route see it, and the limit of each window.
type burn struct {
	alert               string
	labels, annotations map[string]string
	limits              map[string]float64
}

var (
	slothRow = regexp.MustCompile(`ratio_rate(\w+)\{.*?> \(([\d.]+) \* ([\d.e-]+)\)`)
	ourRow   = regexp.MustCompile(`slo:error_ratio:(\w+)\{.*?>= ([\d.e-]+)`)
)

// slothBurns are Sloth's alerts by SLO and severity. An alert carries the labels of its recorded series, too.
func slothBurns(rules []rule) map[string]burn {
	recorded, out := map[string]map[string]string{}, map[string]burn{}
	for _, r := range rules {
		if strings.HasPrefix(r.Record, "slo:sli_error:ratio_rate") {
			recorded[r.Labels["sloth_id"]] = r.Labels
		}
	}
	for _, r := range rules {
		if r.Alert == "" {
			continue
		}
		_, id, _ := strings.Cut(r.Expr, `sloth_id="`)
		id, _, _ = strings.Cut(id, `"`)
		b := burn{r.Alert, maps.Clone(recorded[id]), r.Annotations, map[string]float64{}}
		maps.Copy(b.labels, r.Labels)
		delete(b.labels, "sloth_window")
		for part := range strings.SplitSeq(r.Expr, "\n") {
			for _, m := range slothRow.FindAllStringSubmatch(part, -1) {
				factor, _ := strconv.ParseFloat(m[2], 64)
				budget, _ := strconv.ParseFloat(m[3], 64)
				b.limit(m[1], factor*budget)
			}
		}
		out[id+" "+b.labels["sloth_severity"]] = b
	}
	return out
}

// limit notes a window's limit; one window may stand in two rows.
func (b burn) limit(window string, limit float64) {
	for _, taken := b.limits[window]; taken && !near(b.limits[window], limit); _, taken = b.limits[window] {
		window += "'"
	}
	b.limits[window] = limit
}

// ourBurns are ours; each row of the table is an alert, alike but for its windows.
func ourBurns(t *testing.T, rules []rule) map[string]burn {
	out := map[string]burn{}
	for _, r := range rules {
		if r.Alert == "" || r.Labels["sloth_id"] == "" {
			continue
		}
		maps.DeleteFunc(r.Labels, func(name, _ string) bool { return strings.HasPrefix(name, "signalbox_") })
		key := r.Labels["sloth_id"] + " " + r.Labels["sloth_severity"]
		b, there := out[key]
		if !there {
			b = burn{r.Alert, r.Labels, r.Annotations, map[string]float64{}}
		}
		if b.alert != r.Alert || !maps.Equal(b.labels, r.Labels) || !maps.Equal(b.annotations, r.Annotations) {
			t.Errorf("%s: rows that are not alike: %v, %v", key, b, r)
		}
		for _, m := range ourRow.FindAllStringSubmatch(r.Expr, -1) {
			limit, _ := strconv.ParseFloat(m[2], 64)
			b.limit(m[1], limit)
		}
		out[key] = b
	}
	return out
}

func (b burn) equal(o burn) bool {
	return b.alert == o.alert && maps.Equal(b.labels, o.labels) && maps.Equal(b.annotations, o.annotations) &&
		maps.EqualFunc(b.limits, o.limits, near)
}

// What Sloth's own program generates of its example files is what import and export make of them: alerts of the same
// name with the same labels, annotations, windows and limits, over the same ratio of errors.
func TestRulesOfSlothFilesAreSloths(t *testing.T) {
	dir := checkout(t, "sloth")
	program := built(t, dir, "./cmd/sloth")
	files, alerts, ratios := 0, 0, 0
	for _, file := range yamls(t, dir, []string{"examples", "test/integration"}) {
		generated, err := exec.Command(program, "generate", "--input", file, "--plugins-path", filepath.Join(dir, "examples", "plugins")).Output()
		exported, ours := exec.Command(binary(t), "slo", "export", file).Output()
		if err != nil || ours != nil {
			continue // TestImportsJudgeAsTheToolsDo is about that
		}
		files++
		theirRules, ourRules := rulesOf(t, generated), rulesOf(t, exported)
		theirBurns, ourBurns := slothBurns(theirRules), ourBurns(t, ourRules)
		if len(theirBurns) != len(ourBurns) {
			t.Errorf("%s: Sloth has %d alerts, we %d", file, len(theirBurns), len(ourBurns))
		}
		for key, b := range theirBurns {
			if alerts++; !b.equal(ourBurns[key]) {
				t.Errorf("%s: %s\nSloth:     %v\nSignalbox: %v", file, key, b, ourBurns[key])
			}
		}
		if filepath.Base(file) != "contrib-denominator-corrected.yaml" { // import warns that ratios are not weighed by traffic
			ratios += compareRatios(t, file, theirRules, ourRules)
		}
	}
	t.Logf("%d files, %d alerts, %d ratios", files, alerts, ratios)
}

// compareRatios evaluates the ratios of errors of both over made-up series. Ratios that are queried raw are left
// out: the mean of a ratio over slots is not what a longer window of the query is.
func compareRatios(t *testing.T, file string, theirs, ours []rule) (n int) {
	ids, byName := map[string]map[string]string{}, map[string]string{}
	for _, r := range ours {
		if r.Record != "" {
			byName[r.Labels["slo"]+r.Record] = r.Expr
		}
	}
	for _, r := range theirs {
		window, ok := strings.CutPrefix(r.Record, "slo:sli_error:ratio_rate")
		expr := byName[r.Labels["sloth_id"]+"slo:error_ratio:"+window]
		if id := r.Labels["sloth_id"]; ok && expr != "" && len(window) < 4 && !strings.Contains(window, "d") && !strings.Contains(expr, "avg_over_time(") {
			if ids[id] == nil {
				ids[id] = map[string]string{}
			}
			ids[id][r.Expr] = expr
		}
	}
	for id, pairs := range ids {
		n += len(pairs)
		ratiosAgree(t, file+" "+id, pairs)
	}
	return n
}

func ratiosAgree(t *testing.T, where string, pairs map[string]string) {
	store := teststorage.New(t)
	defer store.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	for theirs := range pairs {
		fill(t, store, theirs, rng)
		break // the windows' selectors are the same
	}
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	value := func(expr string, at time.Time) float64 {
		q, err := engine.NewInstantQuery(context.Background(), store, nil, expr, at)
		if err != nil {
			t.Fatalf("%s: %s: %v", where, expr, err)
		}
		defer q.Close()
		v, err := q.Exec(context.Background()).Vector()
		if err != nil || len(v) > 1 {
			t.Fatalf("%s: %s: %v %v", where, expr, v, err)
		}
		if len(v) == 0 {
			return 0 // no errors, or nothing at all
		}
		return v[0].F
	}
	judged := false
	for theirs, ours := range pairs {
		for _, at := range []time.Duration{2 * time.Hour, 5*time.Hour + time.Minute, 7 * time.Hour} {
			a, b := value(theirs, time.Unix(0, 0).Add(at)), value(ours, time.Unix(0, 0).Add(at))
			if !near(a, b) && !(math.IsNaN(a) && math.IsNaN(b)) {
				t.Errorf("%s after %s: Sloth %v of %s, we %v of %s", where, at, a, theirs, b, ours)
			}
			judged = judged || a > 0 && a < 1
		}
	}
	if !judged {
		t.Errorf("%s: no ratio between 0 and 1", where)
	}
}

// fill makes counters that the selectors of an expression match, with resets.
func fill(t *testing.T, store storage.Storage, expr string, rng *rand.Rand) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatal(err)
	}
	made := map[uint64]labels.Labels{}
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			for range 8 {
				ls := matching(s.LabelMatchers, rng)
				made[ls.Hash()] = ls
			}
		}
		return nil
	})
	app := store.Appender(context.Background())
	for _, ls := range made {
		v := 0.0
		for at := range 8 * 60 * 4 { // every 15 s
			if v += float64(rng.IntN(50)); rng.IntN(500) == 0 {
				v = 0
			}
			if _, err := app.Append(0, ls, int64(at)*15000, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// words are values for labels that are matched by more than equality.
var words = []string{"200", "201", "404", "429", "500", "503", "GET", "POST", "PUT", "DELETE", "LIST", "PATCH", "WATCH", "CONNECT", "a", "true", "0.1", "0.5", "1", "+Inf"}

func matching(matchers []*labels.Matcher, rng *rand.Rand) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, i := range rng.Perm(len(matchers)) {
		m := matchers[i]
		if m.Type == labels.MatchEqual {
			b.Set(m.Name, m.Value)
			continue
		}
		for _, w := range rng.Perm(len(words)) {
			if m.Matches(words[w]) {
				b.Set(m.Name, words[w])
				break
			}
		}
	}
	return b.Labels()
}
