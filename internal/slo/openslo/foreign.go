package openslo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Versions of the foreign formats that are read as the OpenSLO they mean.
const (
	SlothVersion      = "prometheus/v1"
	SlothKubeVersion  = "sloth.slok.dev/v1"
	PyrraVersion      = "pyrra.dev/v1alpha1"
	AlphaVersion      = "openslo/v1alpha"
	NextVersion       = "openslo.com/v2alpha" // which renames a few keys of v1
	GeneratorVersion  = "sre.google.com/v2"
	kubernetesVersion = "v1" // of the lists that kubectl writes
)

// Annotations of an AlertCondition that say what OpenSLO has no field for.
const (
	AnnotationShortWindow = "signalbox.io/short-window" // lookback / 12 by default
	AnnotationAlertName   = "signalbox.io/alert-name"   // of the alert, where several conditions share it
	// AnnotationAlertLabels says `only` where the labels in the condition's metadata are all that the alert
	// has, as the tool it was imported from sends it: routes made for that tool keep working.
	AnnotationAlertLabels = "signalbox.io/alert-labels"
)

const day = 24 * time.Hour

// BurnWindow is one pair of windows of a foreign tool, with its factor.
type BurnWindow struct {
	Name        string
	Severity    string
	Long, Short time.Duration
	For         time.Duration
	Factor      float64
}

// foreignAlert is what a foreign tool calls its alert and puts on it.
type foreignAlert struct {
	name                string
	labels, annotations map[string]string
}

// conditionOf makes an alert condition of a foreign window.
func conditionOf(m Meta, stem string, w BurnWindow, a foreignAlert) ConditionRef {
	own := map[string]string{AnnotationShortWindow: w.Short.String(), AnnotationAlertLabels: "only", AnnotationAlertName: a.name}
	return ConditionRef{Line: m.Line, Inline: &AlertCondition{
		Meta:     Meta{Name: stem + "_" + w.Name, File: m.File, Line: m.Line, Labels: a.labels, Annotations: merged(a.annotations, own)},
		Severity: w.Severity, Threshold: w.Factor, Lookback: w.Long, After: w.For,
	}}
}

// policyOf holds an SLO's foreign alerts. Without any it stays, so that the SLO has no other ones either.
func policyOf(m Meta, conditions []ConditionRef) PolicyRef {
	return PolicyRef{Line: m.Line, Inline: &AlertPolicy{Meta: Meta{Name: m.Name + "-burn", File: m.File, Line: m.Line}, WhenBreaching: true, Conditions: conditions}}
}

// query reads a query that stands as text.
func query(o *document.Object, key string) *Metric {
	return &Metric{Query: strings.TrimSpace(o.Str(key, true)), Line: o.At(key).Line()}
}

// percent reads an objective in percent, a number or a text.
func percent(o *document.Object, key string) float64 {
	text := o.Str(key, true)
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || math.IsNaN(v) {
		if text != "" {
			o.At(key).Problem(fmt.Sprintf("must be a number of percent, got %q", text), "write it without words, for example 99.5")
		}
		return 0
	}
	target := shift(v)
	checkTarget(o, key, target)
	return target
}

// merged lays maps over each other; nil when all are empty.
func merged(maps ...map[string]string) map[string]string {
	var out map[string]string
	for _, m := range maps {
		for k, v := range m {
			if out == nil {
				out = map[string]string{}
			}
			out[k] = v
		}
	}
	return out
}

func alertStem(name string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return '_'
	}, name)
}

// kubernetesMeta reads the metadata of a Kubernetes object, whatever a cluster adds to it.
func (r *reader) kubernetesMeta(o *document.Object) (m Meta, namespace string) {
	m = Meta{File: r.File, Line: o.Line()}
	mo := o.Object("metadata", true)
	if mo == nil {
		return m, ""
	}
	m.Name, m.Line = mo.Str("name", true), mo.Line()
	m.Labels, m.Annotations = mo.StrMap("labels"), mo.StrMap("annotations")
	delete(m.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	return m, mo.Str("namespace", false)
}

// list reads `kind: List` and the lists of a kind, as kubectl writes them.
func (r *reader) list(o *document.Object, docs *Documents) {
	o.Ignore("apiVersion", "kind", "metadata")
	for _, n := range o.List("items", true) {
		r.document(n, docs)
	}
	o.End()
}
