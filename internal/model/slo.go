package model

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// SLOState says in one word how an SLO stands.
type SLOState string

// The states, best last but one; insufficient means that no honest answer exists.
const (
	SLOExhausted    SLOState = "exhausted"    // no budget left in the window
	SLOBurning      SLOState = "burning"      // it burns at the rate of a burn alert, which is active or waits
	SLOOK           SLOState = "ok"           // neither
	SLOInsufficient SLOState = "insufficient" // data missing, stale or too thin
)

// SLODoubt is why an SLO cannot be judged, in one word.
type SLODoubt string

// The doubts, in the order in which one of them is named.
const (
	DoubtFailing    SLODoubt = "failing"    // its query fails
	DoubtImpossible SLODoubt = "impossible" // what was measured cannot be
	DoubtUnmatched  SLODoubt = "unmatched"  // the query of good events matches nothing
	DoubtReading    SLODoubt = "reading"    // history is still to be read
	DoubtCorrected  SLODoubt = "corrected"  // corrections leave nothing
	DoubtNoData     SLODoubt = "no_data"    // nothing was seen
	DoubtStale      SLODoubt = "stale"      // nothing was seen lately
	DoubtYoung      SLODoubt = "young"      // data began a short time ago
	DoubtFewEvents  SLODoubt = "few_events" // too few of them, or none
)

// Wrong reports whether what was measured says nothing at all, good or bad: its
// burn rates are no burn rates.
func (d SLODoubt) Wrong() bool { return d == DoubtImpossible || d == DoubtUnmatched }

// SLOStatus is one SLO as it stands at Time. It is what /sb/v1/slos answers.
type SLOStatus struct {
	Name        string            `json:"name" doc:"unique name"`
	Tenant      string            `json:"tenant,omitempty" doc:"whose it is, in a list of several tenants"`
	DisplayName string            `json:"display_name"`
	Service     string            `json:"service"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Objective   float64           `json:"objective" doc:"share of good events promised, 0 to 1"`
	Window      string            `json:"window" doc:"rolling window, for example 28d"`
	Method      string            `json:"method" enum:"occurrences,timeslices" doc:"budgeting method: allowed and bad are events or minutes"`
	Indicator   string            `json:"indicator" doc:"what is measured, in words"`
	Queries     SLOQueries        `json:"queries"`
	Source      string            `json:"source,omitempty" enum:"promql,spans,logs,deploys,composite" doc:"what the queries are over: PromQL, or filters over spans, logs or deployments"`
	Budget      Budget            `json:"budget"`
	Band        *SLOBand          `json:"band,omitempty" doc:"what the budget policies allow while the budget stands so; absent while that is not known"`
	Burn        []Burn            `json:"burn"`
	State       SLOState          `json:"state" enum:"ok,burning,exhausted,insufficient"`
	Doubt       SLODoubt          `json:"doubt,omitempty" enum:"failing,impossible,unmatched,reading,corrected,no_data,stale,young,few_events" doc:"why it cannot be judged, while its state is insufficient"`
	Reason      string            `json:"reason" doc:"why this state, in one sentence with figures"`
	Action      string            `json:"action" doc:"what to do next, in one sentence"`
	Since       *time.Time        `json:"since,omitempty" doc:"since when it has been in this state"`
	ExhaustedIn *float64          `json:"exhausted_in_seconds,omitempty" doc:"seconds until nothing is left at the current 1h burn rate"`
	Alerts      []string          `json:"alerts,omitempty" doc:"names of the active burn alerts"`
	Time        time.Time         `json:"time" doc:"when this was computed"`

	Felt        *Budget         `json:"felt,omitempty" doc:"the budget as users felt it, corrections left out; budget is the contractual one. Absent without corrections"`
	Corrections []SLOCorrection `json:"corrections,omitempty" doc:"corrections that reach into the window"`
	WindowStart *time.Time      `json:"window_start,omitempty" doc:"of a calendar window"`
	WindowEnd   *time.Time      `json:"window_end,omitempty" doc:"of a calendar window"`
	Parts       []SLOPart       `json:"parts,omitempty" doc:"what a composite is made of"`
	PartOf      string          `json:"part_of,omitempty" doc:"the composite that alerts and gates for this SLO"`
	Groups      *SLOGroups      `json:"groups,omitempty" doc:"where each group of series has a budget of its own: state, budget and burn of the SLO are those of its worst group"`
	Threshold   *float64        `json:"threshold,omitempty" doc:"what a threshold metric is compared with now"`
	Peak        bool            `json:"peak,omitempty" doc:"its peak calendar says it is peak time"`
}

// SLOBand is a band of a budget policy. The gate decides by it.
type SLOBand struct {
	Name      string  `json:"name" enum:"normal,caution,critical-fixes-only,freeze"`
	Text      string  `json:"text" doc:"what it means for a release, in words"`
	Threshold float64 `json:"threshold" doc:"share of the budget used at which the band begins, 0 to 1"`
	Policy    string  `json:"policy" doc:"the budget policy that puts it into this band"`
}

// SLOGroups are the groups of an SLO whose queries sum by labels.
type SLOGroups struct {
	By      []string          `json:"by" doc:"the labels that make a group"`
	Count   int               `json:"count" doc:"groups that are judged"`
	Worst   map[string]string `json:"worst,omitempty" doc:"labels of the group that the figures are of; absent while no group is known"`
	List    []SLOGroup        `json:"list,omitempty" doc:"the groups, worst first; in the answer about one SLO only"`
	LeftOut []string          `json:"left_out,omitempty" doc:"groups above the limit, which are not judged (the first of them)"`
}

// SLOGroup is one group of an SLO as it stands.
type SLOGroup struct {
	Name        string            `json:"name" doc:"under which the group is an SLO of its own"`
	Labels      map[string]string `json:"labels"`
	State       SLOState          `json:"state" enum:"ok,burning,exhausted,insufficient"`
	Doubt       SLODoubt          `json:"doubt,omitempty" enum:"failing,impossible,unmatched,reading,corrected,no_data,stale,young,few_events"`
	Reason      string            `json:"reason"`
	Budget      Budget            `json:"budget"`
	Band        *SLOBand          `json:"band,omitempty"`
	Burn        []Burn            `json:"burn"`
	ExhaustedIn *float64          `json:"exhausted_in_seconds,omitempty"`
	Alerts      []string          `json:"alerts,omitempty"`
	Ended       bool              `json:"ended,omitempty" doc:"it has sent nothing for an hour while others do: it counts no more"`
}

// SLOPart is one SLO of a composite. The composite's burn rate is the
// weighted mean of its parts'.
type SLOPart struct {
	Name      string  `json:"name"`
	Weight    float64 `json:"weight" doc:"0 to 1; all parts' sum is 1"`
	Objective float64 `json:"objective" doc:"that the part is held to here"`
}

// SLOCorrection takes a span of time out of an SLO: what happened in it does
// not count against the contract. The figures that users felt stay beside it.
type SLOCorrection struct {
	ID      string    `json:"id,omitempty" readOnly:"true"`
	SLO     string    `json:"slo,omitempty" readOnly:"true"`
	Kind    string    `json:"kind,omitempty" enum:"maintenance,exclusion" default:"maintenance"`
	Author  string    `json:"author" minLength:"1" maxLength:"200" doc:"who answers for it"`
	Reason  string    `json:"reason" minLength:"1" maxLength:"2000" doc:"why it does not count"`
	Start   time.Time `json:"start" doc:"begins with the minute that holds it"`
	End     time.Time `json:"end" doc:"ends with the minute before it; may lie in the future"`
	Created time.Time `json:"created,omitzero" readOnly:"true"`
	// Tampered is not kept: it is found when the correction is listed.
	Tampered string `json:"tampered,omitempty" readOnly:"true" doc:"what is wrong with it: it is not what the audit log notes, because it was changed, put there or deleted in the database; absent where it is"`
}

// MetricSLOErrorRatio is the engine's own record of error ratios, with labels slo,
// service and window.
const MetricSLOErrorRatio = "signalbox_slo_error_ratio"

// ErrorRatioQuery is PromQL for the error ratio over a window such as 1h. What is
// counted by filters has no PromQL of its own: there it is what the engine recorded.
func (s SLOStatus) ErrorRatioQuery(window string) string {
	switch s.Source {
	case "spans", "logs", "deploys":
		return MetricSLOErrorRatio + "{slo=" + strconv.Quote(s.Name) + ",window=" + strconv.Quote(window) + "}"
	}
	return strings.ReplaceAll(s.Queries.Error, "$window", window)
}

// SLOQueries are the PromQL expressions behind an SLO, ready to paste into
// Explore; $window stands for a range such as 1h. Where the SLO's source is spans, logs or
// deploys, good, bad and total are filters of the search and error is in words.
type SLOQueries struct {
	Good  string `json:"good,omitempty"`
	Total string `json:"total,omitempty"`
	Bad   string `json:"bad,omitempty"`
	Error string `json:"error" doc:"error ratio, 0 to 1"`
}

// Budget is an error budget over a full window. With occurrences, Allowed,
// Bad and Total count events; with timeslices, minutes.
type Budget struct {
	Allowed   float64 `json:"allowed"`
	Bad       float64 `json:"bad"`
	Total     float64 `json:"total"`
	UsedRatio float64 `json:"used_ratio" nullable:"true" doc:"share of the budget used; above 1 when overspent; null while it is unknown"`
	LeftRatio float64 `json:"left_ratio" nullable:"true" doc:"1 - used_ratio; negative when overspent; null while it is unknown"`
	Minutes   float64 `json:"minutes" doc:"the budget as minutes of full outage: (1-objective) × window"`
	SLI       float64 `json:"sli" nullable:"true" doc:"measured share of good events over the window; null while it is unknown"`
	Coverage  float64 `json:"coverage" doc:"share of the window with data, 0 to 1"`
	Reason    string  `json:"reason,omitempty" doc:"why the figures are absent or partial"`
	// Unknown says that nothing vouches for the ratios. They are arithmetic then, and null in JSON:
	// nobody is to take a budget that cannot be judged for a full one, or for a spent one.
	Unknown bool `json:"unknown,omitempty" doc:"how much is used and left cannot be known"`
}

// MarshalJSON writes null for ratios that are unknown.
func (b Budget) MarshalJSON() ([]byte, error) {
	type plain Budget
	if !b.Unknown {
		return json.Marshal(plain(b))
	}
	return json.Marshal(struct {
		plain
		UsedRatio *float64 `json:"used_ratio"`
		LeftRatio *float64 `json:"left_ratio"`
		SLI       *float64 `json:"sli"`
	}{plain: plain(b)})
}

// Burn is a burn rate over one window: 1 means the budget lasts exactly the
// SLO's window.
type Burn struct {
	Window   string  `json:"window"`
	Rate     float64 `json:"rate"`
	Events   float64 `json:"events" doc:"events seen in the window"`
	Coverage float64 `json:"coverage" doc:"share of the window with data, 0 to 1"`
}

// SLOHistory is a budget curve for charts.
type SLOHistory struct {
	Name   string            `json:"name"`
	Points []SLOHistoryPoint `json:"points"`
}

// SLOHistoryPoint is one step of a budget curve; a nil figure is a gap.
type SLOHistoryPoint struct {
	Time  time.Time `json:"time"`
	Left  *float64  `json:"left_ratio"`
	Burn  *float64  `json:"burn_1h"`
	Error *float64  `json:"error_ratio"`
}
