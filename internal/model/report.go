package model

import "time"

// ReportRequest asks what was promised and kept in a period.
type ReportRequest struct {
	// Period is 2026-10, 2026-Q4, 2026, last-month, this-month or last-28d; "" takes Start and End.
	Period     string
	Start, End time.Time
	// Audience is customer or internal.
	Audience string
	// Zone is where calendar periods and days begin at midnight; nil means UTC.
	Zone *time.Location
	// Service, SLO and Team select promises; "" selects all.
	Service, SLO, Team string
	// Months is how many periods the trend shows, this one included.
	Months int
	// AsOf is what the report knows: data, corrections and records until then. Zero means now.
	AsOf time.Time
}

// ReportVerdict is the verdict on a promise in a period.
type ReportVerdict string

// The verdicts. On track and at risk are for periods that are not over.
const (
	ReportMet     ReportVerdict = "met"
	ReportMissed  ReportVerdict = "missed"
	ReportAtRisk  ReportVerdict = "at_risk" // below the objective so far, but budget is left
	ReportOnTrack ReportVerdict = "on_track"
	ReportUnknown ReportVerdict = "unknown"
)

// Report says what was promised and kept in a period.
type Report struct {
	Title    string          `json:"title" doc:"for example: Service levels in October 2026"`
	Summary  string          `json:"summary" doc:"the answer in one sentence"`
	Audience string          `json:"audience" enum:"customer,internal"`
	Period   ReportPeriod    `json:"period"`
	AsOf     time.Time       `json:"as_of" doc:"what happened later is not in the report"`
	Scope    ReportScope     `json:"scope"`
	Counts   ReportCounts    `json:"counts"`
	Promises []ReportPromise `json:"promises" doc:"missed first, then at risk, unknown, on track, met; each by name"`
	Notes    []string        `json:"notes" doc:"how to read the figures, and what they leave out"`
	Internal *ReportInternal `json:"internal,omitempty" doc:"of the internal report only"`
}

// ReportPeriod is the time that a report is about.
type ReportPeriod struct {
	Name           string    `json:"name" doc:"October 2026, or the dates"`
	Start          time.Time `json:"start" doc:"with the time zone's offset"`
	End            time.Time `json:"end" doc:"exclusive"`
	TimeZone       string    `json:"time_zone" example:"Europe/Berlin"`
	Minutes        float64   `json:"minutes"`
	ElapsedMinutes float64   `json:"elapsed_minutes" doc:"as far as as_of"`
	Complete       bool      `json:"complete" doc:"it is over"`
}

// ReportScope is what was selected; "" is everything.
type ReportScope struct {
	Service string `json:"service,omitempty"`
	SLO     string `json:"slo,omitempty"`
	Team    string `json:"team,omitempty"`
}

// ReportCounts counts verdicts.
type ReportCounts struct {
	Promises int `json:"promises"`
	Met      int `json:"met"`
	Missed   int `json:"missed"`
	AtRisk   int `json:"at_risk"`
	OnTrack  int `json:"on_track"`
	Unknown  int `json:"unknown"`
}

// ReportPromise is one promise in the period.
type ReportPromise struct {
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

	Verdict  ReportVerdict  `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
	Reason   string         `json:"reason" doc:"why, in one sentence with figures"`
	Contract ReportFigures  `json:"contract" doc:"what counts: without what corrections take out"`
	Felt     *ReportFigures `json:"felt,omitempty" doc:"what users felt; absent where nothing was corrected"`

	Episodes      []ReportEpisode    `json:"episodes" doc:"times when the budget burned fast, oldest first"`
	SmallEpisodes int                `json:"small_episodes" doc:"further, smaller ones that are not listed: less than 1 % of the budget each"`
	Corrections   []ReportCorrection `json:"corrections" doc:"oldest first"`
	Trend         []ReportTrend      `json:"trend" doc:"oldest first, this period last"`
	Days          []ReportDay        `json:"days" doc:"of the period, in its time zone"`
	Bands         []ReportBand       `json:"bands,omitempty" doc:"of the internal report: the band at the start, and each that was entered"`
}

// ReportFigures are what was measured. Minutes are of full outage: the bad
// share times the time with data.
type ReportFigures struct {
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

// ReportEpisode is a span of time in which the budget burned at least six times
// too fast; pauses of up to five minutes are part of it.
type ReportEpisode struct {
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

// ReportCorrection is what was taken out, and what that changed.
type ReportCorrection struct {
	SLOCorrection
	Minutes      float64 `json:"minutes" doc:"of the period that it takes out"`
	BudgetPoints float64 `json:"budget_points" doc:"by how many percentage points it lowers the share of the budget used"`
}

// ReportTrend is the promise in one of the periods before, or in this one.
type ReportTrend struct {
	Name     string        `json:"name"`
	Start    time.Time     `json:"start"`
	End      time.Time     `json:"end"`
	Achieved *float64      `json:"achieved"`
	Used     *float64      `json:"used_ratio"`
	Coverage float64       `json:"coverage"`
	Verdict  ReportVerdict `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
}

// ReportDay is one day, corrections taken out.
type ReportDay struct {
	Start       time.Time `json:"start"`
	Achieved    *float64  `json:"achieved"`
	UsedMinutes float64   `json:"used_minutes"`
	Coverage    float64   `json:"coverage"`
}

// ReportBand is a band of the budget policy that a promise's own window entered.
type ReportBand struct {
	Time time.Time `json:"time"`
	Band string    `json:"band" enum:"normal,caution,critical-fixes-only,freeze"`
	Used float64   `json:"used_ratio"`
}

// ReportInternal is what only the people who run the services are told.
type ReportInternal struct {
	Outcomes    ReportOutcomes  `json:"outcomes" doc:"what the platform is there for"`
	Budgets     []ReportBudget  `json:"budgets" doc:"by service and kind"`
	Pages       ReportPages     `json:"pages"`
	Deploys     ReportDeploys   `json:"deploys"`
	Gate        ReportGate      `json:"gate"`
	Platform    *ReportPlatform `json:"platform,omitempty" doc:"Signalbox itself, from what it stored about itself"`
	NotMeasured []string        `json:"not_measured" doc:"what is promised but cannot be known here"`
}

// ReportOutcomes are the figures that say whether watching services pays.
type ReportOutcomes struct {
	Uptime       *float64     `json:"uptime" doc:"mean of what the SLOs about errors achieved, 0 to 1"`
	UptimeTarget float64      `json:"uptime_target"`
	Promises     int          `json:"promises" doc:"of which uptime is the mean"`
	Detect       ReportChange `json:"detect" doc:"of pages that woke somebody, from the first bad minute to the first delivery"`
	Resolve      ReportChange `json:"resolve" doc:"of the same pages, from the first delivery"`
}

// ReportChange is a mean, and the one of the period before.
type ReportChange struct {
	MeanSeconds   *float64 `json:"mean_seconds"`
	Known         int      `json:"known" doc:"of how many pages"`
	BeforeSeconds *float64 `json:"before_seconds" doc:"in the period before; null where nothing is known"`
	KnownBefore   int      `json:"known_before"`
	Change        *float64 `json:"change" doc:"-0.65 is 65 % less than before"`
}

// ReportBudget is what one kind of trouble spent of a promise's budget.
type ReportBudget struct {
	Service        string  `json:"service"`
	SLO            string  `json:"slo"`
	Kind           string  `json:"kind" enum:"downtime,errors,slow,other" doc:"downtime: minutes of which half or more was bad"`
	AllowedMinutes float64 `json:"allowed_minutes" doc:"of the SLO, for all kinds"`
	UsedMinutes    float64 `json:"used_minutes"`
	UsedRatio      float64 `json:"used_ratio"`
}

// ReportPages is who was paged and how fast that was answered.
type ReportPages struct {
	Pages         int              `json:"pages" doc:"that wake somebody: severity critical, page, P0 or P1"`
	PerWeek       float64          `json:"per_week"`
	TargetPerWeek float64          `json:"target_per_week"`
	Severities    []ReportSeverity `json:"severities" doc:"worst first"`
	List          []ReportPage     `json:"list" doc:"oldest first"`
	LeftOut       int              `json:"left_out" doc:"further pages that are counted but not listed"`
}

// ReportSeverity is one severity's pages.
type ReportSeverity struct {
	Severity    string     `json:"severity"`
	Pages       int        `json:"pages"`
	Detect      ReportSpan `json:"detect" doc:"from the first bad minute of the SLO to the first delivery"`
	Acknowledge ReportSpan `json:"acknowledge" doc:"from the first delivery"`
	Resolve     ReportSpan `json:"resolve" doc:"from the first delivery"`
}

// ReportSpan sums up how long something took.
type ReportSpan struct {
	Known         int      `json:"known" doc:"of how many pages it is known"`
	MeanSeconds   *float64 `json:"mean_seconds"`
	WorstSeconds  *float64 `json:"worst_seconds"`
	TargetSeconds *float64 `json:"target_seconds" doc:"null without a target"`
	InTime        int      `json:"in_time" doc:"of the known ones; 0 without a target"`
}

// ReportPage is one page.
type ReportPage struct {
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

// ReportDeploys counts changes.
type ReportDeploys struct {
	Deploys    int            `json:"deploys"`
	RolledBack int            `json:"rolled_back"`
	Failed     int            `json:"failed" doc:"reported as failed"`
	Breached   int            `json:"breached" doc:"followed by a breach within 30 minutes"`
	List       []ReportDeploy `json:"list" doc:"those that went wrong, and rollbacks, oldest first"`
}

// ReportDeploy is a change that went wrong or mended.
type ReportDeploy struct {
	Deploy
	Outcome string `json:"outcome" doc:"failed, rolled back, followed by a breach of …, or rollback"`
}

// ReportGate counts decisions.
type ReportGate struct {
	Decisions    int                  `json:"decisions"`
	Allowed      int                  `json:"allowed"`
	Held         int                  `json:"held"`
	Blocked      int                  `json:"blocked"`
	Insufficient int                  `json:"insufficient"`
	Overridden   int                  `json:"overridden"`
	List         []ReportGateDecision `json:"list" doc:"those that did not simply allow, oldest first"`
	LeftOut      int                  `json:"left_out" doc:"further ones that are counted but not listed"`
}

// ReportGateDecision is one decision that held, blocked or was overridden.
type ReportGateDecision struct {
	ID             string    `json:"id"`
	Time           time.Time `json:"time"`
	Service        string    `json:"service"`
	Environment    string    `json:"environment,omitempty"`
	Version        string    `json:"version,omitempty"`
	Verdict        Verdict   `json:"verdict" enum:"allow,hold,block,insufficient"`
	Summary        string    `json:"summary"`
	OverriddenBy   string    `json:"overridden_by,omitempty"`
	OverrideReason string    `json:"override_reason,omitempty"`
}

// ReportPlatform is Signalbox's own availability: minutes in which it recorded
// its own metrics.
type ReportPlatform struct {
	Objective    float64         `json:"objective"`
	Since        time.Time       `json:"since" doc:"first own sample in the period"`
	Achieved     *float64        `json:"achieved"`
	UpMinutes    float64         `json:"up_minutes"`
	DownMinutes  float64         `json:"down_minutes"`
	KnownMinutes float64         `json:"known_minutes"`
	Verdict      ReportVerdict   `json:"verdict" enum:"met,missed,at_risk,on_track,unknown"`
	Gaps         []ReportEpisode `json:"gaps" doc:"when it recorded nothing, oldest first"`
}

// ReportFile is a report in one format.
type ReportFile struct {
	Name        string
	ContentType string
	Content     []byte
}
