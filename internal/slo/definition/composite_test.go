package definition_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// whole is a composite of a name over objectives.
func whole(name, objectives string, more ...string) string {
	return sloText(name, "", "", objectives, more...)
}

const parts = "---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: measured}\nspec: {ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: avg(share)}}}}}\n"

func TestACompositeIsTheWeightedMeanOfItsParts(t *testing.T) {
	text := whole("all", "{indicatorRef: pay, compositeWeight: 3}, {displayName: Own One, indicatorRef: measured, target: 0.9}, {indicatorRef: pay, target: 0.5, compositeWeight: 4}") +
		sloText("pay", "", counted, "{target: 0.99}") + parts
	defs := defined(t, text)
	d, own := defs["all"], defs["all-own-one"]
	if len(defs) != 3 || own == nil || own.PartOf != "all" || own.BurnAlerts == nil || len(own.BurnAlerts) != 0 || defs["pay"].PartOf != "" || d.Source() != "composite" {
		t.Fatalf("%v", defs)
	}
	// (3 × 0.99 + 1 × 0.9 + 4 × 0.5) / 8 = 5.87 / 8
	if math.Abs(d.Objective-5.87/8) > 1e-12 || d.Method != "timeslices" || d.Indicator != "weighted mean of burn rates: 37.5 % of pay, 12.5 % of all-own-one, 50 % of pay" {
		t.Errorf("%v %q", d.Objective, d.Indicator)
	}
	for i, want := range []definition.Part{{Definition: defs["pay"], Weight: 0.375, Objective: 0.99}, {Definition: own, Weight: 0.125, Objective: 0.9}, {Definition: defs["pay"], Weight: 0.5, Objective: 0.5}} {
		if got := d.Parts[i]; got != want {
			t.Errorf("part %d: %+v, want %+v", i, got, want)
		}
	}
}

// Over any counts: the composite's burn rate is the sum of weight × (bad / total) / (1 - objective), and it has
// data for as long as all of its parts have.
func TestACompositeCountsAsItsFormulaSays(t *testing.T) {
	d := defined(t, whole("all", "{indicatorRef: a, compositeWeight: 2}, {indicatorRef: b, target: 0.8}, {indicatorRef: a, target: 0.999}")+
		sloText("a", "", counted, "{target: 0.99}")+sloText("b", "", failures, "{target: 0.9}"))["all"]
	weights, objectives := []float64{0.5, 0.25, 0.25}, []float64{0.99, 0.8, 0.999}
	rapid.Check(t, func(t *rapid.T) {
		cells := make([]ledger.Cell, len(weights))
		burn, minutes := 0.0, math.Inf(1)
		for i := range cells {
			total := float64(rapid.IntRange(0, 1e6).Draw(t, "total"))
			cells[i] = ledger.Cell{Total: total, Bad: math.Floor(total * rapid.Float64Range(0, 1).Draw(t, "share")), Minutes: float64(rapid.IntRange(0, 1440).Draw(t, "minutes"))}
			minutes = min(minutes, cells[i].Minutes)
			if total > 0 {
				burn += weights[i] * cells[i].Bad / total / (1 - objectives[i])
			}
		}
		got := d.Compose(cells)
		if got.Total != minutes || got.Minutes != minutes {
			t.Fatalf("%+v of %+v, want %v min", got, cells, minutes)
		}
		if want := burn * (1 - d.Objective) * minutes; math.Abs(got.Bad-want) > 1e-9*max(1, want) {
			t.Fatalf("%+v of %+v: bad %v, want %v", got, cells, got.Bad, want)
		}
	})
}

func TestCompositesOfCompositesAreDefinedInAnyOrder(t *testing.T) {
	docs := []string{
		whole("top", "{indicatorRef: middle}, {indicatorRef: leaf, compositeWeight: 3}"), whole("middle", "{indicatorRef: leaf, target: 0.8}"), sloText("leaf", "", counted, "{target: 0.9}"),
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		var text string
		for _, i := range order {
			text += docs[i]
		}
		defs := defined(t, text)
		// middle is held to 0.8, and top to (0.8 + 3 × 0.9) / 4.
		if d := defs["top"]; len(defs) != 3 || math.Abs(d.Objective-0.875) > 1e-12 || d.Parts[0].Definition != defs["middle"] || d.Parts[1].Definition != defs["leaf"] {
			t.Errorf("%v: %+v", order, d)
		}
	}
}

func TestCompositesThatCannotBe(t *testing.T) {
	leaf := sloText("leaf", "", counted, "{target: 0.9}")
	for _, c := range []struct{ text, want, names string }{
		{whole("a", "{indicatorRef: a}"), "a.yaml:4: the composite refers to itself: a → a; take one of them out of the circle", ""},
		{whole("a", "{indicatorRef: b}") + whole("b", "{indicatorRef: c}") + whole("c", "{indicatorRef: a}") + leaf, "a.yaml:4: the composite refers to itself: a → b → c → a; take one of them out of the circle", "leaf"},
		// Who leads into a circle is none of it, and cannot be either.
		{whole("x", "{indicatorRef: a}") + whole("a", "{indicatorRef: a}"), "the composite refers to itself: x → a → a", ""},
		{whole("a", "{indicatorRef: leav}") + leaf, `a.yaml:8: SLO a: there is no SLI or SLO leav; did you mean "leaf"?`, "leaf"},
		{whole("a", "{indicatorRef: measured}") + parts, "a.yaml:8: SLO a: the objective of measured has no target; add target, for example 0.995", ""},
		{whole("a", "{displayName: b, indicatorRef: measured, target: 0.9}") + sloText("a-b", "", counted, target) + parts, "a.yaml:8: SLO a-b was defined before, in a.yaml:12; give one of them another name", "a-b"},
		{whole("a", "{indicatorRef: leaf}") + whole("a", "{indicatorRef: leaf}") + leaf, "a.yaml:12: SLO a was defined before, in a.yaml:4; give one of them another name", "a leaf"},
		{whole("a", "{indicatorRef: leaf}") + strings.Replace(leaf, "sum(ok_total)", "sum(", 1), "a.yaml:8: SLO a: its part leaf cannot be used; mend what is wrong with leaf", ""},
		{whole("a", "{indicatorRef: groups}") + sloText("groups", "", byRoute, target), "a.yaml:8: SLO a: its part groups has a budget for each route; here all of its groups are counted together", "a groups"},
	} {
		got, names := said(c.text)
		if !strings.Contains(got, c.want) || names != c.names {
			t.Errorf("%s\n got %s, defined %q\nwant %s, %q", c.text, got, names, c.want, c.names)
		}
		if strings.Count(got, "refers to itself") > 1 {
			t.Errorf("a circle is named more than once: %s", got)
		}
	}
}
