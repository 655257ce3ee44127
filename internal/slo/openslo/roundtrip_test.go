package openslo

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// texts are what people and tools write, and YAML could take for something else.
var texts = rapid.OneOf(
	rapid.SampledFrom([]string{
		"plain", "yes", "null", "~", "1.20", "0x1f", "1e3", "2026-01-01", "12:30", "# no comment", "a: b", "- a", "a #b", "{a}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a`", "'a'", `"a"`, `a\nb`, "a\nb", "a\n\nb\n", "  a", "a\tb",
		"{{ $value }}", "|", ">", "?", "---", "...", "Übrige", "日本", "a\u00a0b", `sum(rate(x{a="b",c=~"d|e"}[5m])) > 1 # c`,
	}),
	rapid.StringMatching(`[a-z ":'#{}\[\],&*!|>%@\\-]{1,12}`),
)

// drawn makes documents with every kind of field.
func drawn(t *rapid.T) Documents {
	text := func(what string) string { return rapid.OneOf(rapid.Just(""), texts).Draw(t, what) }
	word := func(what string) string { return rapid.StringMatching(`[a-zA-Z0-9._-]{1,12}`).Draw(t, what) }
	pairs := func(what string) map[string]string {
		return rapid.MapOfN(rapid.StringMatching(`[a-z./_-]{1,8}`), rapid.OneOf(rapid.Just(""), texts), 0, 3).Draw(t, what)
	}
	meta := func() Meta {
		return Meta{Name: word("name"), DisplayName: text("display name"), Labels: pairs("labels"), Annotations: pairs("annotations")}
	}
	query := func() *Metric { return &Metric{Query: trimmed(t)} }
	duration := func(most int) time.Duration {
		return time.Duration(rapid.IntRange(1, most).Draw(t, "minutes")) * time.Minute
	}
	share := rapid.Float64Range(0.000001, 0.999999)
	ob := Objective{DisplayName: text("objective"), Target: share.Draw(t, "target"), SliceWindow: time.Minute}
	sli := &SLI{Meta: meta(), Description: text("indicator")}
	switch rapid.IntRange(0, 3).Draw(t, "indicator") {
	case 0:
		sli.Ratio = &Ratio{Counter: rapid.Bool().Draw(t, "counter"), Good: query(), Total: query()}
	case 1:
		sli.Ratio = &Ratio{Counter: true, Bad: &Metric{Type: SourceSpans, Query: trimmed(t), Quiet: duration(120)}, Total: &Metric{Type: SourceSpans, Query: trimmed(t), By: []string{word("by"), trimmed(t)}}}
	case 2:
		sli.Ratio = &Ratio{Counter: true, Raw: query(), RawType: rapid.SampledFrom([]string{"success", "failure"}).Draw(t, "raw")}
	default:
		sli.Threshold = query()
		ob.Op, ob.Value, ob.HasValue = rapid.SampledFrom([]string{"lt", "lte", "gt", "gte"}).Draw(t, "op"), rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(-1e12, 1e12)).Draw(t, "value"), true
	}
	condition := AlertCondition{Meta: meta(), Description: text("condition"), Severity: trimmed(t), Threshold: rapid.Float64Range(0.001, 1000).Draw(t, "threshold"), Lookback: duration(40_000), After: duration(60)}
	policy := AlertPolicy{
		Meta: meta(), Description: text("policy"), WhenNoData: rapid.Bool().Draw(t, "no data"), WhenBreaching: rapid.Bool().Draw(t, "breaching"),
		Conditions: []ConditionRef{{Name: word("condition")}, {Inline: &condition}},
		Targets:    []TargetRef{{Name: word("receiver")}, {Inline: &NotificationTarget{Meta: meta(), Description: text("receiver"), Target: trimmed(t)}}},
	}
	slo := SLO{
		Meta: meta(), Description: text("slo"), Service: trimmed(t), Indicator: sli, Window: duration(400 * 24 * 60), Objectives: []Objective{ob},
		Method: rapid.SampledFrom([]string{Occurrences, RatioTimeslices}).Draw(t, "method"), Policies: []PolicyRef{{Name: word("policy")}, {Inline: &policy}},
	}
	slo.Window = max(slo.Window, time.Hour)
	return Documents{Services: []Service{{Meta: meta(), Description: text("service")}}, SLIs: []SLI{*sli}, SLOs: []SLO{slo}, Policies: []AlertPolicy{policy}, Conditions: []AlertCondition{condition}}
}

// trimmed is a text without spaces at its ends, and not empty.
func trimmed(t *rapid.T) string {
	return rapid.StringMatching(`[a-z("{\['#*&!|>%@-]([a-z :'"#{},\t=~\[\]\\-]{0,12}[a-z)"}'])?`).Draw(t, "text")
}

// What import writes means what was imported, whatever stands in its texts.
func TestWhateverIsWrittenIsReadAsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := roundTrip(drawn(t)); err != nil {
			t.Fatal(fmt.Sprint(err))
		}
	})
}
