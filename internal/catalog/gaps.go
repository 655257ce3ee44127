package catalog

import (
	"fmt"
	"maps"
	"slices"
)

// Word names a kind of gap.
type Word string

// What a service may lack.
const (
	NoOwner        Word = "no_owner"
	NoRunbook      Word = "no_runbook"
	NoSLO          Word = "no_slo"
	NoOnCall       Word = "no_on_call"
	NotSeen        Word = "not_seen"
	NotInCatalogue Word = "not_in_catalogue"
)

// gapTexts say what each gap means and what to do, with the service's name and its team's.
func gapTexts() map[Word][2]string {
	return map[Word][2]string{
		NoOwner:        {"nobody owns %[1]s", "name its team in catalog_files, or send the resource attribute team with its telemetry"},
		NoRunbook:      {"no runbook is for %[1]s", "name it under services of a runbook, or name a runbook in catalog_files"},
		NoSLO:          {"%[1]s has no SLO", "write one: signalbox slo, or the page New SLO"},
		NoOnCall:       {"nobody of team %[2]s is on call for %[1]s", "name an escalation policy or a schedule of its team in catalog_files, or call a schedule's team %[2]s"},
		NotSeen:        {"%[1]s sends nothing", "look at its exporter; name its service.name under telemetry if that is another; or take it out of the catalogue"},
		NotInCatalogue: {"%[1]s sends telemetry and is in no catalogue file", "add it to catalog_files"},
	}
}

func gapWords() []string {
	words := slices.Sorted(maps.Keys(gapTexts()))
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// Gap is what a service lacks.
type Gap struct {
	Service   string `json:"service"`
	Namespace string `json:"namespace,omitempty"`
	Team      string `json:"team,omitempty"`
	Tier      int    `json:"tier,omitempty"`
	Gap       Word   `json:"gap" enum:"no_owner,no_runbook,no_slo,no_on_call,not_seen,not_in_catalogue"`
	Text      string `json:"text"`
	Cure      string `json:"cure"`
	Excused   string `json:"excused,omitempty" doc:"why it is meant to be; such a gap is none"`
}

// gaps are those of one entry. What does not run is not seen, has no SLO and nobody on call.
func (e *Entry) gaps(excused map[string]string, hasSLO, onCall, anyFile bool) {
	e.Gaps = []Gap{}
	runs := e.Kind == KindService
	lacks := map[Word]bool{
		NoOwner:        e.Team == "",
		NoRunbook:      runs && len(e.Runbooks) == 0,
		NoSLO:          runs && !hasSLO,
		NoOnCall:       runs && e.Team != "" && !onCall,
		NotSeen:        runs && !e.Seen,
		NotInCatalogue: anyFile && e.Source == FromTelemetry,
	}
	for _, w := range []Word{NotInCatalogue, NoOwner, NoOnCall, NoRunbook, NoSLO, NotSeen} {
		if !lacks[w] {
			continue
		}
		text := gapTexts()[w]
		say := func(format string) string {
			// Neither name is always in a sentence, and fmt marks what is left over.
			return fmt.Sprintf(format+"%[3]s", e.Service, e.Team, "")
		}
		e.Gaps = append(e.Gaps, Gap{
			Service: e.Service, Namespace: e.Namespace, Team: e.Team, Tier: e.Tier, Gap: w,
			Text: say(text[0]), Cure: say(text[1]), Excused: excused[string(w)],
		})
	}
}
