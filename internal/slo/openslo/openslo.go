// Package openslo reads OpenSLO v1 documents.
//
// It turns YAML text into plain values and reports every problem of a file at
// once, each with its line and a cure: unknown keys, missing fields, numbers
// out of bounds. It resolves no references and reads no PromQL; package slo does. Beside OpenSLO
// it reads PeakCalendar documents of its own apiVersion and, as the SLOs they mean,
// files of Sloth and Pyrra.
//
// In: a file's name and text. Out: Documents and Problems. Parse is a pure
// function and never panics, whatever the text.
//
// Start reading at Parse.
package openslo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Version is the only apiVersion that is read.
const Version = "openslo/v1"

// Documents are the contents of one or more files.
type Documents struct {
	Services []Service
	SLIs     []SLI
	SLOs     []SLO
	Sources  []DataSource

	Policies   []AlertPolicy
	Conditions []AlertCondition
	Targets    []NotificationTarget
	Calendars  []PeakCalendar

	Windows []AlertWindows // of Sloth, for its SLOs among these
}

// Append adds another file's documents.
func (d *Documents) Append(o Documents) {
	d.Services = append(d.Services, o.Services...)
	d.SLIs = append(d.SLIs, o.SLIs...)
	d.SLOs = append(d.SLOs, o.SLOs...)
	d.Sources = append(d.Sources, o.Sources...)
	d.Policies = append(d.Policies, o.Policies...)
	d.Conditions = append(d.Conditions, o.Conditions...)
	d.Targets = append(d.Targets, o.Targets...)
	d.Calendars = append(d.Calendars, o.Calendars...)
	d.Windows = append(d.Windows, o.Windows...)
	d.settle()
}

// Of are the documents that stand in a file, but for Sloth's windows, which its SLOs have taken up.
func (d *Documents) Of(file string) Documents {
	return Documents{
		Services: inFile(d.Services, file), SLIs: inFile(d.SLIs, file), SLOs: inFile(d.SLOs, file), Sources: inFile(d.Sources, file),
		Policies: inFile(d.Policies, file), Conditions: inFile(d.Conditions, file), Targets: inFile(d.Targets, file), Calendars: inFile(d.Calendars, file),
	}
}

// Empty reports whether nothing is left to be written.
func (d *Documents) Empty() bool {
	return len(d.Services)+len(d.SLIs)+len(d.SLOs)+len(d.Sources)+len(d.Policies)+len(d.Conditions)+len(d.Targets)+len(d.Calendars) == 0
}

func inFile[T interface{ where() string }](all []T, file string) (out []T) {
	for _, one := range all {
		if one.where() == file {
			out = append(out, one)
		}
	}
	return out
}

func (m Meta) where() string { return m.File }

// Meta is a document's metadata and where it stands.
type Meta struct {
	Name        string
	DisplayName string
	Labels      map[string]string
	Annotations map[string]string
	File        string
	Line        int
}

// Service groups SLOs.
type Service struct {
	Meta
	Description string
}

// DataSource says where metrics come from. All queries are answered by the
// own metrics store; other types than Prometheus are a problem.
type DataSource struct {
	Meta
	Type string
}

// SLI is an indicator: Ratio or Threshold is set.
type SLI struct {
	Meta
	Description string
	Ratio       *Ratio
	Threshold   *Metric
}

// Valued is the metric whose values are judged, nil where events are counted.
func (s *SLI) Valued() *Metric {
	if s.Threshold == nil && s.Ratio != nil {
		return s.Ratio.Raw
	}
	return s.Threshold
}

// Ratio is good (or bad) events of total, or a raw ratio.
type Ratio struct {
	Counter bool // counters that only grow, the default; else events per sample
	Good    *Metric
	Bad     *Metric
	Total   *Metric
	Raw     *Metric
	RawType string // success or failure
}

// Metric is a query.
type Metric struct {
	Source string // name of a DataSource, may be empty
	Type   string
	Query  string
	Line   int

	Quiet time.Duration // with Events: how long none may come before that is no data; 0: as usual
	By    []string      // with Events: fields, of whose values each set has a budget of its own
}

// Events reports whether it counts events by a filter; otherwise Query is PromQL.
func (m *Metric) Events() bool { return strings.HasPrefix(m.Type, eventPrefix) }

// Events reports whether one of its metrics counts events by a filter.
func (q *Ratio) Events() bool {
	return slices.ContainsFunc([]*Metric{q.Good, q.Bad, q.Total, q.Raw}, func(m *Metric) bool { return m != nil && m.Events() })
}

// Types of metric sources that count events of the own store.
const (
	eventPrefix   = "signalbox-"
	SourceSpans   = eventPrefix + "spans"
	SourceLogs    = eventPrefix + "logs"
	SourceDeploys = eventPrefix + "deploys"
)

// maxQuiet is how far back a source's counts are looked through for the newest event.
func maxQuiet(source string) time.Duration {
	if source == SourceDeploys {
		return 28 * 24 * time.Hour
	}
	return 2 * time.Hour
}

// metricType reads a metric source's type, whatever its case.
func metricType(source *document.Object) string {
	text := source.Str("type", false)
	known := []string{"Prometheus", SourceSpans, SourceLogs, SourceDeploys}
	for _, k := range known[1:] {
		if strings.EqualFold(text, k) {
			return k
		}
	}
	if text != "" && !strings.EqualFold(text, known[0]) {
		source.At("type").Problem(fmt.Sprintf("metric source type %q cannot be read", text), document.DidYouMean(text, known))
	}
	return text
}

// Budgeting methods.
const (
	Occurrences     = "Occurrences"
	Timeslices      = "Timeslices"
	RatioTimeslices = "RatioTimeslices"
)

// SLO is a promise.
type SLO struct {
	Meta
	Description  string
	Service      string
	IndicatorRef string
	Indicator    *SLI
	Window       time.Duration // of a calendar: no shorter than any of its windows
	Calendar     *Calendar     // nil: the window rolls
	Method       string
	Objectives   []Objective
	Policies     []PolicyRef
	Sloth        *SlothAlerting // of an SLO of Sloth's, from which its policies are made
}

// Objective is one target of an SLO.
type Objective struct {
	DisplayName string
	Op          string  // lt, lte, gt, gte with a threshold metric
	Value       float64 // with Op, where HasValue
	HasValue    bool
	Target      float64 // 0 to 1, both excluded; 0: that of the SLO named in IndicatorRef
	SliceTarget float64
	SliceWindow time.Duration
	Line        int

	// A composite's objectives have indicators of their own.
	IndicatorRef string // of an SLI or another SLO
	Indicator    *SLI
	Weight       float64 // 1 by default
}

// Parse reads the documents of one file. What has a problem other than a
// warning is left out of the result.
func Parse(file string, text []byte) (docs Documents, problems []Problem) {
	rd, nodes := document.Parse(file, text)
	rd.Examples = examples()
	r := &reader{Reader: rd, keys: keysOf(Version)}
	if len(nodes) == 0 && r.Errors() == 0 {
		r.Add(Problem{Line: 1, Message: "the file holds no document", Cure: "write an SLO there, or delete the file", Warning: true})
	}
	for _, n := range nodes {
		r.document(n, &docs)
	}
	docs.settle()
	return docs, r.Problems()
}

// add keeps v unless reading it found problems.
func add[T any](r *reader, list *[]T, read func() T) {
	before := r.Errors()
	if v := read(); r.Errors() == before {
		*list = append(*list, v)
	}
}

// document reads one document, a list of them, or an object that lists them.
func (r *reader) document(n document.Node, docs *Documents) {
	if list, ok := n.List(); ok {
		for _, one := range list {
			r.document(one, docs)
		}
		return
	}
	o := n.Object("")
	if o == nil {
		return
	}
	if !o.Stands("apiVersion") && o.Stands("version") {
		if v := o.Str("version", true); v != SlothVersion {
			o.At("version").Problem(fmt.Sprintf("version is %q", v), "of Sloth's files "+SlothVersion+" is read")
			return
		}
		r.lenient("Sloth", func() { r.slothDocument(o, docs) })
		return
	}
	version, kind := o.Str("apiVersion", true), o.Str("kind", true)
	switch {
	case version == "" || kind == "":
	case o.Has("items") && (version == kubernetesVersion && kind == "List" || strings.HasSuffix(kind, "List")):
		r.list(o, docs)
	case version == PyrraVersion:
		add(r, &docs.SLOs, func() SLO { return r.pyrraDocument(o) })
	case version == SlothKubeVersion:
		r.lenient("Sloth", func() { r.slothKubernetes(o, kind, docs) })
	case version == GeneratorVersion:
		r.lenient("slo-generator", func() { add(r, &docs.SLOs, func() SLO { return r.generatorDocument(o) }) })
	case version == AlphaVersion:
		r.alpha(o, kind, docs)
	case version == OwnVersion && kind == "PeakCalendar":
		add(r, &docs.Calendars, func() PeakCalendar { return r.peakCalendar(o) })
	case version == OwnVersion:
		o.At("kind").Problem(fmt.Sprintf("kind %q of %s is unknown", kind, OwnVersion), "it has PeakCalendar")
	case version == Version || version == NextVersion:
		r.keys = keysOf(version)
		r.openSLO(o, kind, docs)
	default:
		o.At("apiVersion").Problem(fmt.Sprintf("apiVersion is %q", version),
			fmt.Sprintf("%s, %s and %s are read, and the files of Sloth, Pyrra and slo-generator", Version, AlphaVersion, NextVersion))
	}
}

func (r *reader) openSLO(o *document.Object, kind string, docs *Documents) {
	switch kind {
	case "Service":
		add(r, &docs.Services, func() Service { return r.service(o) })
	case "SLI":
		add(r, &docs.SLIs, func() SLI { return r.sliDocument(o) })
	case "SLO":
		add(r, &docs.SLOs, func() SLO { return r.slo(o) })
	case "DataSource":
		add(r, &docs.Sources, func() DataSource { return r.dataSource(o) })
	case "AlertPolicy":
		add(r, &docs.Policies, func() AlertPolicy { return r.alertPolicy(o) })
	case "AlertCondition":
		add(r, &docs.Conditions, func() AlertCondition { return r.alertCondition(o) })
	case "AlertNotificationTarget":
		add(r, &docs.Targets, func() NotificationTarget { return r.notificationTarget(o) })
	default:
		o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", kind), document.DidYouMean(kind, []string{
			"Service", "SLI", "SLO", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget",
		}))
	}
}

func (r *reader) meta(o *document.Object) Meta {
	m := Meta{File: r.File, Line: o.Line()}
	mo := o.Object("metadata", true)
	if mo == nil {
		return m
	}
	m.Name, m.DisplayName = mo.Str("name", true), mo.Str("displayName", false)
	if m.Name != "" && !validName(m.Name) {
		mo.At("name").Problem(fmt.Sprintf("the name %q is not usable", m.Name), "use letters, digits, . _ and -, at most 120 of them")
	}
	m.Line = mo.Line()
	m.Labels, m.Annotations = mo.StrMap("labels"), mo.StrMap("annotations")
	mo.End()
	return m
}

func validName(s string) bool {
	return len(s) <= 120 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

func (r *reader) service(o *document.Object) Service {
	s := Service{Meta: r.meta(o)}
	if spec := o.Object("spec", false); spec != nil {
		s.Description = spec.Str("description", false)
		spec.End()
	}
	o.End()
	return s
}

func (r *reader) dataSource(o *document.Object) DataSource {
	s := DataSource{Meta: r.meta(o)}
	if spec := o.Object("spec", true); spec != nil {
		s.Type = spec.Str("type", true)
		spec.Str("description", false)
		spec.Ignore("connectionDetails")
		if s.Type != "" && !strings.EqualFold(s.Type, "prometheus") {
			spec.At("type").Problem(fmt.Sprintf("data source type %q cannot be read", s.Type), "only Prometheus is; its metrics must reach the own store")
		}
		spec.End()
	}
	o.End()
	return s
}

func (r *reader) sliDocument(o *document.Object) SLI {
	s := r.sli(o, r.meta(o))
	o.End()
	return s
}

// sli reads the spec, of a document or of an SLO's own indicator.
func (r *reader) sli(o *document.Object, meta Meta) SLI {
	s := SLI{Meta: meta}
	spec := o.Object("spec", true)
	if spec == nil {
		return s
	}
	s.Description = spec.Str("description", false)
	if ratio := spec.Object("ratioMetric", false); ratio != nil {
		s.Ratio = r.ratio(ratio)
	}
	if threshold := spec.Object("thresholdMetric", false); threshold != nil {
		s.Threshold = r.metric(threshold)
	}
	if (s.Ratio == nil) == (s.Threshold == nil) {
		spec.Problem("the indicator needs one of ratioMetric and thresholdMetric", "count events with ratioMetric, compare a value with thresholdMetric")
	}
	spec.End()
	return s
}

func (r *reader) ratio(o *document.Object) *Ratio {
	q := &Ratio{Counter: o.Boolean("counter", true), RawType: o.Str("rawType", false)}
	for _, part := range []struct {
		key string
		dst **Metric
	}{{"good", &q.Good}, {"bad", &q.Bad}, {"total", &q.Total}, {"raw", &q.Raw}} {
		if m := o.Object(part.key, false); m != nil {
			*part.dst = r.metric(m)
		}
	}
	switch {
	case q.Raw != nil && (q.Good != nil || q.Bad != nil || q.Total != nil):
		o.Problem("raw stands beside good, bad or total", "give either the ratio as raw or its parts")
	case q.Raw != nil:
		if q.RawType != "success" && q.RawType != "failure" {
			o.Problem("raw needs rawType", "say `rawType: success` or `rawType: failure`")
		}
	case q.Total == nil:
		o.Problem("total is missing", "add the query that counts all events")
	case (q.Good == nil) == (q.Bad == nil):
		o.Problem("the ratio needs one of good and bad beside total", "add the query of the one that is easier to count, and only that one")
	}
	o.End()
	return q
}

func (r *reader) metric(o *document.Object) *Metric {
	m := &Metric{}
	source := r.metricSource(o, m)
	if source == nil {
		o.End()
		return m
	}
	if spec := source.Object("spec", true); spec != nil {
		m.Query, m.Line = strings.TrimSpace(spec.Str("query", true)), spec.At("query").Line()
		if m.Events() {
			m.Quiet = duration(spec, "quiet", false)
			m.By = spec.Strings("by")
			if m.Quiet < 0 || m.Quiet > maxQuiet(m.Type) {
				spec.At("quiet").Problem(fmt.Sprintf("quiet is %s", m.Quiet), fmt.Sprintf("give 1m to %s", durationText(maxQuiet(m.Type))))
			}
		}
		spec.End()
	}
	source.End()
	o.End()
	return m
}

// metricSource reads where a metric comes from, and answers the mapping that has its spec: v1 puts both
// below metricSource, and v2alpha has them beside each other.
func (r *reader) metricSource(o *document.Object, m *Metric) *document.Object {
	if r.keys == keysOf(Version) {
		source := o.Object("metricSource", true)
		if source != nil {
			m.Source, m.Type = source.Str("metricSourceRef", false), metricType(source)
		}
		return source
	}
	m.Source = o.Str("dataSourceRef", false)
	if own := o.Object("dataSourceSpec", false); own != nil {
		m.Type = metricType(own)
		own.Ignore("description", "connectionDetails")
		own.End()
	}
	return o
}
