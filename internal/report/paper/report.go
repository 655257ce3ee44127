// Package paper is a report as it is answered and written: its form as data, and the same as
// Markdown, CSV and text.
//
// It measures and judges nothing: package report does, and fills a Report. In: a Report. Out: a
// file. Functions are pure: the same report gives the same bytes. Start reading at Report, then
// document.go.
package paper

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Request asks what was promised and kept in a period.
type Request struct {
	// Period is 2026-10, 2026-Q4, 2026, last-month, this-month or last-28d; "" takes Start and End.
	Period     string
	Start, End time.Time
	// Audience is customer or internal.
	Audience string
	// Zone is where calendar periods and days begin at midnight; nil means UTC.
	Zone *time.Location
	// Service, SLO and Team select SLOs; "" selects all.
	Service, SLO, Team string
	// Namespaces, of the label, are those whose SLOs it may hold; nil is all, and what has none.
	Namespaces []string
	// Months is how many periods the trend shows, this one included.
	Months int
	// AsOf is what the report knows: data, corrections and records until then. Zero means now.
	AsOf time.Time
}

// Verdict is the verdict on an SLO in a period.
type Verdict string

// The verdicts. On track and at risk are for periods that are not over.
const (
	Met     Verdict = "met"
	Missed  Verdict = "missed"
	AtRisk  Verdict = "at_risk" // below the objective so far, but budget is left
	OnTrack Verdict = "on_track"
	Unknown Verdict = "unknown"
)

// Report says what was promised and kept in a period.
type Report struct {
	Title    string    `json:"title" doc:"for example: Service levels in October 2026"`
	Summary  string    `json:"summary" doc:"the answer in one sentence"`
	Audience string    `json:"audience" enum:"customer,internal"`
	Period   Period    `json:"period"`
	AsOf     time.Time `json:"as_of" doc:"what happened later is not in the report"`
	Scope    Scope     `json:"scope"`
	Counts   Counts    `json:"counts"`
	SLOs     []SLO     `json:"promises" doc:"missed first, then at risk, unknown, on track, met; each by name"`
	Notes    []string  `json:"notes" doc:"how to read the figures, and what they leave out"`
	Internal *Internal `json:"internal,omitempty" doc:"of the internal report only"`
}

// Period is the time that a report is about.
type Period struct {
	Name           string    `json:"name" doc:"October 2026, or the dates"`
	Start          time.Time `json:"start" doc:"with the time zone's offset"`
	End            time.Time `json:"end" doc:"exclusive"`
	TimeZone       string    `json:"time_zone" example:"Europe/Berlin"`
	Minutes        float64   `json:"minutes"`
	ElapsedMinutes float64   `json:"elapsed_minutes" doc:"as far as as_of"`
	Complete       bool      `json:"complete" doc:"it is over"`
}

// Scope is what was selected; "" is everything.
type Scope struct {
	Service string `json:"service,omitempty"`
	SLO     string `json:"slo,omitempty"`
	Team    string `json:"team,omitempty"`
}

// Counts counts verdicts.
type Counts struct {
	SLOs    int `json:"promises"`
	Met     int `json:"met"`
	Missed  int `json:"missed"`
	AtRisk  int `json:"at_risk"`
	OnTrack int `json:"on_track"`
	Unknown int `json:"unknown"`
}

// SLO is one SLO in the period.
type SLO struct {
	Name        string  `json:"name"`
	DisplayName string  `json:"display_name"`
	Service     string  `json:"service"`
	Environment string  `json:"environment,omitempty"`
	Team        string  `json:"team,omitempty"`
	Description string  `json:"description,omitempty"`
	Indicator   string  `json:"indicator" doc:"what is measured, in words"`
	Kind        string  `json:"kind" enum:"errors,slow,other" doc:"what spends the budget: failed requests, slow requests, or what else the SLO counts"`
	Objective   float64 `json:"objective" doc:"share of good events promised, 0 to 1"`
	Window      string  `json:"window" doc:"that the SLO is judged over live; the report judges it over its period"`
	Unit        string  `json:"unit" enum:"events,minutes" doc:"of good, bad, total and allowed"`

	Verdict  Verdict  `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
	Reason   string   `json:"reason" doc:"why, in one sentence with figures"`
	Contract Figures  `json:"contract" doc:"what counts: without what corrections take out"`
	Felt     *Figures `json:"felt,omitempty" doc:"what users felt; absent where nothing was corrected"`

	Episodes      []Episode    `json:"episodes" doc:"times when the budget burned fast, oldest first"`
	SmallEpisodes int          `json:"small_episodes" doc:"further, smaller ones that are not listed: less than 1 % of the budget each"`
	Corrections   []Correction `json:"corrections" doc:"oldest first"`
	Trend         []Trend      `json:"trend" doc:"oldest first, this period last"`
	Days          []Day        `json:"days" doc:"of the period, in its time zone"`
	Bands         []Band       `json:"bands,omitempty" doc:"of the internal report: the band at the start, and each that was entered"`
}

// Figures are what was measured. Minutes are of full outage: the bad
// share times the time with data.
type Figures struct {
	Achieved *float64 `json:"achieved" doc:"share of good events, 0 to 1; null where nothing was counted"`
	Points   *float64 `json:"points" doc:"achieved - objective in percentage points; negative below the objective"`
	Good     float64  `json:"good"`
	Bad      float64  `json:"bad"`
	Total    float64  `json:"total"`
	Allowed  float64  `json:"allowed" doc:"bad events or minutes that the period may have, at its traffic"`

	AllowedMinutes  float64  `json:"allowed_minutes" doc:"(1 - objective) × counted minutes of the whole period"`
	UsedMinutes     float64  `json:"used_minutes"`
	LeftMinutes     float64  `json:"left_minutes" doc:"negative when overspent"`
	UsedRatio       *float64 `json:"used_ratio" doc:"used of allowed minutes; above 1 when overspent"`
	UpMinutes       float64  `json:"up_minutes" doc:"time with data less used minutes"`
	UnknownMinutes  float64  `json:"unknown_minutes" doc:"elapsed time without data"`
	ExcludedMinutes float64  `json:"excluded_minutes" doc:"taken out by corrections"`
	Coverage        float64  `json:"coverage" doc:"share of the elapsed time with data, 0 to 1"`
}

// Episode is a span of time in which the budget burned at least six times
// too fast; pauses of up to five minutes are part of it.
type Episode struct {
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Seconds     float64   `json:"seconds"`
	Ongoing     bool      `json:"ongoing" doc:"not over yet"`
	Downtime    bool      `json:"downtime" doc:"in its worst minute half or more failed; slow is not down"`
	WorstBurn   float64   `json:"worst_burn" doc:"burn rate of the worst minute"`
	WorstAt     time.Time `json:"worst_at"`
	Bad         float64   `json:"bad"`
	BudgetRatio float64   `json:"budget_ratio" doc:"share of the period's budget that it spent"`
	Corrected   bool      `json:"corrected" doc:"it lies wholly in a correction and does not count"`
	Cause       string    `json:"cause,omitempty" doc:"what is known: the change right before, or the correction's reason"`
	Version     string    `json:"version,omitempty" doc:"that was deployed right before"`
}

// Correction is what was taken out, and what that changed.
type Correction struct {
	model.SLOCorrection
	Minutes      float64 `json:"minutes" doc:"of the period that it takes out"`
	BudgetPoints float64 `json:"budget_points" doc:"by how many percentage points it lowers the share of the budget used"`
}

// Trend is the SLO in one of the periods before, or in this one.
type Trend struct {
	Name     string    `json:"name"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Achieved *float64  `json:"achieved"`
	Used     *float64  `json:"used_ratio"`
	Coverage float64   `json:"coverage"`
	Verdict  Verdict   `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
}

// Day is one day, corrections taken out.
type Day struct {
	Start       time.Time `json:"start"`
	Achieved    *float64  `json:"achieved"`
	UsedMinutes float64   `json:"used_minutes"`
	Coverage    float64   `json:"coverage"`
}

// Band is a band of the budget policy that an SLO's own window entered.
type Band struct {
	Time time.Time `json:"time"`
	Band string    `json:"band" enum:"normal,caution,critical-fixes-only,freeze"`
	Used float64   `json:"used_ratio"`
}

// Internal is what only the people who run the services are told.
type Internal struct {
	Outcomes    Outcomes  `json:"outcomes" doc:"what the platform is there for"`
	Budgets     []Budget  `json:"budgets" doc:"by service and kind"`
	Pages       Pages     `json:"pages"`
	Deploys     Deploys   `json:"deploys"`
	Gate        Gate      `json:"gate"`
	Platform    *Platform `json:"platform,omitempty" doc:"Signalbox itself, from what it stored about itself"`
	NotMeasured []string  `json:"not_measured" doc:"what is promised but cannot be known here"`
}

// Outcomes are the figures that say whether watching services pays.
type Outcomes struct {
	Uptime       *float64 `json:"uptime" doc:"mean of what the SLOs about errors achieved, 0 to 1"`
	UptimeTarget float64  `json:"uptime_target"`
	SLOs         int      `json:"promises" doc:"of which uptime is the mean"`
	Detect       Change   `json:"detect" doc:"of pages that woke somebody, from the first bad minute to the first delivery"`
	Resolve      Change   `json:"resolve" doc:"of the same pages, from the first delivery"`
}

// Change is a mean, and the one of the period before.
type Change struct {
	MeanSeconds   *float64 `json:"mean_seconds"`
	Known         int      `json:"known" doc:"of how many pages"`
	BeforeSeconds *float64 `json:"before_seconds" doc:"in the period before; null where nothing is known"`
	KnownBefore   int      `json:"known_before"`
	Change        *float64 `json:"change" doc:"-0.65 is 65 % less than before"`
}

// Budget is what one kind of trouble spent of an SLO's budget.
type Budget struct {
	Service        string  `json:"service"`
	SLO            string  `json:"slo"`
	Kind           string  `json:"kind" enum:"downtime,errors,slow,other" doc:"downtime: minutes of which half or more was bad"`
	AllowedMinutes float64 `json:"allowed_minutes" doc:"of the SLO, for all kinds"`
	UsedMinutes    float64 `json:"used_minutes"`
	UsedRatio      float64 `json:"used_ratio"`
}

// Pages is who was paged and how fast that was answered.
type Pages struct {
	Pages         int        `json:"pages" doc:"that wake somebody: severity critical, page, P0 or P1"`
	PerWeek       float64    `json:"per_week"`
	TargetPerWeek float64    `json:"target_per_week"`
	Severities    []Severity `json:"severities" doc:"worst first"`
	List          []Page     `json:"list" doc:"oldest first"`
	LeftOut       int        `json:"left_out" doc:"further pages that are counted but not listed"`
}

// Severity is one severity's pages.
type Severity struct {
	Severity    string `json:"severity"`
	Pages       int    `json:"pages"`
	Detect      Span   `json:"detect" doc:"from the first bad minute of the SLO to the first delivery"`
	Acknowledge Span   `json:"acknowledge" doc:"from the first delivery"`
	Resolve     Span   `json:"resolve" doc:"from the first delivery"`
}

// Span sums up how long something took.
type Span struct {
	Known         int      `json:"known" doc:"of how many pages it is known"`
	MeanSeconds   *float64 `json:"mean_seconds"`
	WorstSeconds  *float64 `json:"worst_seconds"`
	TargetSeconds *float64 `json:"target_seconds" doc:"null without a target"`
	InTime        int      `json:"in_time" doc:"of the known ones; 0 without a target"`
}

// Page is one page.
type Page struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Severity   string    `json:"severity"`
	Title      string    `json:"title"`
	Service    string    `json:"service,omitempty"`
	SLO        string    `json:"slo,omitempty"`
	AckedBy    string    `json:"acked_by,omitempty"`
	DetectSecs *float64  `json:"detect_seconds"`
	AckSecs    *float64  `json:"acknowledge_seconds"`
	SolveSecs  *float64  `json:"resolve_seconds"`
}

// Deploys counts changes.
type Deploys struct {
	Deploys    int      `json:"deploys"`
	RolledBack int      `json:"rolled_back"`
	Failed     int      `json:"failed" doc:"reported as failed"`
	Breached   int      `json:"breached" doc:"followed by a breach within 30 minutes"`
	List       []Deploy `json:"list" doc:"those that went wrong, and rollbacks, oldest first"`
}

// Deploy is a change that went wrong or mended.
type Deploy struct {
	model.Deploy
	Outcome string `json:"outcome" doc:"failed, rolled back, followed by a breach of …, or rollback"`
}

// Gate counts decisions.
type Gate struct {
	Decisions    int            `json:"decisions"`
	Allowed      int            `json:"allowed"`
	Held         int            `json:"held"`
	Blocked      int            `json:"blocked"`
	Insufficient int            `json:"insufficient"`
	Overridden   int            `json:"overridden"`
	List         []GateDecision `json:"list" doc:"those that did not simply allow, oldest first"`
	LeftOut      int            `json:"left_out" doc:"further ones that are counted but not listed"`
}

// GateDecision is one decision that held, blocked or was overridden.
type GateDecision struct {
	ID             string        `json:"id"`
	Time           time.Time     `json:"time"`
	Service        string        `json:"service"`
	Environment    string        `json:"environment,omitempty"`
	Version        string        `json:"version,omitempty"`
	Verdict        model.Verdict `json:"verdict" enum:"allow,hold,block,insufficient"`
	Summary        string        `json:"summary"`
	OverriddenBy   string        `json:"overridden_by,omitempty"`
	OverrideReason string        `json:"override_reason,omitempty"`
}

// Platform is Signalbox's own availability: minutes in which it recorded
// its own metrics.
type Platform struct {
	Objective    float64   `json:"objective"`
	Since        time.Time `json:"since" doc:"first own sample in the period"`
	Achieved     *float64  `json:"achieved"`
	UpMinutes    float64   `json:"up_minutes"`
	DownMinutes  float64   `json:"down_minutes"`
	KnownMinutes float64   `json:"known_minutes"`
	Verdict      Verdict   `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
	Gaps         []Episode `json:"gaps" doc:"when it recorded nothing, oldest first"`
}

// File is a report in one format.
type File struct {
	Name        string
	ContentType string
	Content     []byte
}
