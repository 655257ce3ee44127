package ask

import (
	"bytes"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestTheGroupsOfAnSLOAreListed(t *testing.T) {
	s := model.SLOStatus{Name: "by-route", Groups: &model.SLOGroups{Count: 2, LeftOut: []string{`by-route{route="/z"}`}, List: []model.SLOGroup{
		{Name: `by-route{route="/b"}`, State: model.SLOBurning, Reason: "Burning 10×.", Budget: model.Budget{LeftRatio: 0.58}, Band: &model.SLOBand{Text: "caution"}},
		{Name: `by-route{route="/old"}`, State: model.SLOInsufficient, Ended: true, Budget: model.Budget{Unknown: true}},
	}}}
	var b bytes.Buffer
	if err := printSLO(&b, s); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{`burning route="/b" 58 % caution Burning 10×.`, `ended route="/old" -`, `not judged: by-route{route="/z"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestAnSLOIsShownWithItsBand(t *testing.T) {
	s := model.SLOStatus{Name: "files-ok", Band: &model.SLOBand{Name: "critical-fixes-only", Text: "critical fixes only", Threshold: 0.75, Policy: "broker"}}
	var b bytes.Buffer
	if err := printSLO(&b, s); err != nil || !strings.Contains(b.String(), "critical fixes only, from 75 % used on (policy broker)") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestAnSLOIsShownWithCorrectionsThatWereTouched(t *testing.T) {
	s := model.SLOStatus{Name: "files-ok", Felt: &model.Budget{}, Corrections: []model.SLOCorrection{
		{ID: "c1", Author: "kim", Reason: "new disks", Tampered: "it was changed in the database"}, {ID: "c2", Author: "ann", Reason: "load test"},
	}}
	var b bytes.Buffer
	if err := printSLO(&b, s); err != nil || !strings.Contains(b.String(), "CORRECTION TAMPERED WITH: c1 (new disks, by kim): it was changed in the database\n") || strings.Contains(b.String(), "c2") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestABudgetThatIsUnknownHasNoFigures(t *testing.T) {
	s := model.SLOStatus{
		Name: "edge-ok", Service: "edge", State: model.SLOInsufficient, Reason: "The query of good events has matched nothing.",
		Budget: model.Budget{LeftRatio: 1, Total: 100, Minutes: 14.4, Coverage: 1, Unknown: true},
		Burn:   []model.Burn{{Window: "1h", Events: 100}},
	}
	var b bytes.Buffer
	if err := printSLO(&b, s); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		f := strings.Fields(line)
		if len(f) > 1 && (f[0] == "left" || f[0] == "1h") && f[1] != "-" || strings.Contains(line, "allowed") {
			t.Errorf("it says %q", line)
		}
	}
	s.Budget.Unknown, s.Budget.LeftRatio = false, 0.58
	b.Reset()
	if err := printSLO(&b, s); err != nil || !strings.Contains(b.String(), "58 %") || !strings.Contains(b.String(), "allowed") {
		t.Errorf("%v: %s", err, b.String())
	}
}
