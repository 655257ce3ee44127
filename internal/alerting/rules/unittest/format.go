package unittest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
)

// defaultInterval is promtool's evaluation_interval.
const defaultInterval = prommodel.Duration(time.Minute)

// testFile is promtool's format, key by key.
type testFile struct {
	RuleFiles  []string           `yaml:"rule_files"`
	Interval   prommodel.Duration `yaml:"evaluation_interval"`
	GroupOrder []string           `yaml:"group_eval_order"`
	Fuzzy      bool               `yaml:"fuzzy_compare"`
	Tests      []test             `yaml:"tests"`
}

type test struct {
	Name           string             `yaml:"name"`
	Interval       prommodel.Duration `yaml:"interval"`
	Start          moment             `yaml:"start_timestamp"`
	Series         []series           `yaml:"input_series"`
	Alerts         []alertCase        `yaml:"alert_rule_test"`
	Exprs          []exprCase         `yaml:"promql_expr_test"`
	ExternalLabels labels.Labels      `yaml:"external_labels"`
	ExternalURL    string             `yaml:"external_url"`

	title string // the name, or the number in the file
}

type series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type alertCase struct {
	At   prommodel.Duration `yaml:"eval_time"`
	Name string             `yaml:"alertname"`
	Want []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type exprCase struct {
	Expr string             `yaml:"expr"`
	At   prommodel.Duration `yaml:"eval_time"`
	Want []wantSample       `yaml:"exp_samples"`
}

type wantSample struct {
	Labels    string  `yaml:"labels"`
	Value     float64 `yaml:"value"`
	Histogram string  `yaml:"histogram"` // instead of a value
}

// moment is a time in RFC 3339 or in Unix seconds; the zero value is 1970.
type moment struct{ time.Time }

// UnmarshalYAML reads both.
func (m *moment) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, part := math.Modf(seconds)
		m.Time = time.Unix(int64(whole), int64(part*float64(time.Second))).UTC()
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("start_timestamp %q is no time; write RFC 3339 (2026-01-31T08:00:00Z) or Unix seconds", text)
	}
	m.Time = at
	return nil
}

// testsRE finds the key in a file that is no valid YAML, so that the error is that of a test file.
var testsRE = regexp.MustCompile(`(?m)^tests[ \t]*:`)

// Is tells whether the text is a test file and not a file of rules.
func Is(text []byte) bool {
	var top map[string]any
	if err := yaml.Unmarshal(text, &top); err != nil {
		return testsRE.Match(text)
	}
	_, is := top["tests"]
	return is
}

// decode reads a test file; paths of rule files are relative to its folder.
func decode(file string, text []byte) (*testFile, error) {
	f := &testFile{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("not a file of rule tests: %w", err)
	}
	var rest any
	if err := d.Decode(&rest); rest != nil || (err != nil && !errors.Is(err, io.EOF)) {
		return nil, errors.New("a test file is one document; put what follows the --- into a file of its own")
	}
	if len(f.Tests) == 0 {
		return nil, errors.New("tests: there is none, so nothing would be tested; write one or delete the file")
	}
	if f.Interval == 0 {
		f.Interval = defaultInterval
	}
	for i := range f.Tests {
		t := &f.Tests[i]
		if t.title = strconv.Quote(t.Name); t.Name == "" {
			t.title = fmt.Sprintf("%d (without a name)", i+1)
		}
		if t.Interval == 0 {
			t.Interval = f.Interval
		}
		if t.Start.IsZero() {
			t.Start.Time = time.Unix(0, 0).UTC()
		}
	}
	for i, name := range f.GroupOrder {
		if slices.Contains(f.GroupOrder[:i], name) {
			return nil, fmt.Errorf("group_eval_order: %q is named twice; a group is evaluated once", name)
		}
	}
	return f, f.resolve(filepath.Dir(file))
}

// resolve replaces the patterns of rule files by the files.
func (f *testFile) resolve(dir string) error {
	var files []string
	for _, pattern := range f.RuleFiles {
		full := pattern
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, full)
		}
		found, err := filepath.Glob(full)
		if err != nil {
			return fmt.Errorf("rule_files: pattern %q: %w", pattern, err)
		}
		if len(found) == 0 {
			return fmt.Errorf("rule_files: %s: no such file; paths are relative to the test file", pattern)
		}
		for _, file := range found {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	f.RuleFiles = files
	return nil
}

// order loads the rule files and answers the keys of their groups in the order of
// evaluation, and the names of their alerts. As with promtool, groups that
// group_eval_order does not name stand with its first; here in the order of the files.
func (f *testFile) order(p parser.Parser) (keys []string, alerts map[string]bool, err error) {
	alerts = map[string]bool{}
	rank := map[string]int{}
	for _, file := range f.RuleFiles {
		groups, errs := rules.Loader(p).Load(file, false, prommodel.UTF8Validation)
		if len(errs) > 0 {
			return nil, nil, errors.Join(errs...)
		}
		for _, g := range groups.Groups {
			key := promrules.GroupKey(file, g.Name)
			keys = append(keys, key)
			rank[key] = max(0, slices.Index(f.GroupOrder, g.Name))
			for _, r := range g.Rules {
				if r.Alert != "" {
					alerts[r.Alert] = true
				}
			}
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { return rank[a] - rank[b] })
	return keys, alerts, nil
}
