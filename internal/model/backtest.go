package model

import "time"

// Document is one file's text.
type Document struct {
	Name string `json:"name" maxLength:"500" doc:"file name, for messages"`
	Text string `json:"text"`
}

// BacktestSet is what is replayed. Without SLOs and rules it is the SLOs in
// force, without policies the gate's policy in force.
type BacktestSet struct {
	SLOs     []Document `json:"slos,omitempty" doc:"OpenSLO documents"`
	Policies []Document `json:"policies,omitempty" doc:"gate policies"`
	Rules    []Document `json:"rules,omitempty" doc:"Prometheus rule files"`
}

// BacktestRequest asks what would have happened between Start and End with Set
// and, side by side, with Compare; what Compare leaves out is as in Set.
type BacktestRequest struct {
	Set        BacktestSet
	Compare    *BacktestSet
	Start, End time.Time
	Step       time.Duration // whole minutes
}

// BacktestState says how far a job is.
type BacktestState string

// The states of a job.
const (
	BacktestRunning   BacktestState = "running"
	BacktestDone      BacktestState = "done"
	BacktestFailed    BacktestState = "failed"
	BacktestCancelled BacktestState = "cancelled"
)

// BacktestJob is a backtest under way or finished; Result is set when done.
type BacktestJob struct {
	ID       string          `json:"id"`
	State    BacktestState   `json:"state" enum:"running,done,failed,cancelled"`
	Progress float64         `json:"progress" doc:"0 to 1"`
	Error    string          `json:"error,omitempty" doc:"why it failed"`
	Started  time.Time       `json:"started"`
	Seconds  float64         `json:"seconds" doc:"how long it has run"`
	Result   *BacktestResult `json:"result,omitempty"`
}

// BacktestResult is what would have happened.
type BacktestResult struct {
	Start      time.Time            `json:"start"`
	End        time.Time            `json:"end"`
	Step       string               `json:"step"`
	Summary    string               `json:"summary" doc:"one sentence"`
	Sets       []BacktestOutcome    `json:"sets" doc:"A, and B when two are compared"`
	Difference []BacktestDifference `json:"difference" doc:"A against B, line by line"`
	Notes      []string             `json:"notes" doc:"what the figures leave out"`
}

// BacktestOutcome is what would have happened with one set.
type BacktestOutcome struct {
	Name     string            `json:"name" enum:"A,B"`
	Pages    []BacktestPage    `json:"pages" doc:"notifications, oldest first"`
	Alerts   []BacktestAlert   `json:"alerts" doc:"oldest first"`
	Promises []BacktestPromise `json:"promises"`
	Deploys  []BacktestDeploy  `json:"deploys" doc:"oldest first"`
}

// BacktestAlert is one firing of one alert.
type BacktestAlert struct {
	Name      string     `json:"name"`
	SLO       string     `json:"slo,omitempty"`
	Service   string     `json:"service,omitempty"`
	Severity  string     `json:"severity"`
	Labels    Labels     `json:"labels"`
	Receivers []string   `json:"receivers" doc:"by the routing tree in force"`
	Start     time.Time  `json:"start"`
	End       *time.Time `json:"end,omitempty" doc:"absent when it still fires at the end"`
	Seconds   float64    `json:"seconds"`
}

// BacktestPage is one notification to one receiver: alerts of one group and
// severity whose times overlap.
type BacktestPage struct {
	Receiver string     `json:"receiver"`
	Severity string     `json:"severity"`
	Group    Labels     `json:"group" doc:"labels that its alerts were grouped by"`
	Alerts   []string   `json:"alerts" doc:"names of its alerts"`
	Start    time.Time  `json:"start"`
	End      *time.Time `json:"end,omitempty"`
	Seconds  float64    `json:"seconds"`
}

// BacktestPromise is how one promise fared.
type BacktestPromise struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"display_name"`
	Service     string          `json:"service"`
	Objective   float64         `json:"objective"`
	Window      string          `json:"window"`
	Bad         float64         `json:"bad" doc:"events or minutes, between start and end"`
	Total       float64         `json:"total"`
	UsedAtStart *float64        `json:"used_at_start" doc:"share of the budget of the window that ends then"`
	UsedAtEnd   *float64        `json:"used_at_end"`
	WorstUsed   *float64        `json:"worst_used"`
	WorstAt     *time.Time      `json:"worst_at,omitempty"`
	Alerts      int             `json:"alerts"`
	Unknown     float64         `json:"unknown_seconds" doc:"time that nobody can vouch for"`
	Bands       []BacktestBand  `json:"bands" doc:"time in each band of the policy"`
	Curve       []BacktestPoint `json:"curve"`
}

// BacktestBand is time spent in a band of the budget.
type BacktestBand struct {
	Name    string  `json:"name"`
	From    float64 `json:"from" doc:"share of the budget used from which it holds"`
	Seconds float64 `json:"seconds"`
}

// BacktestPoint is one point of a budget curve; nil is a gap.
type BacktestPoint struct {
	Time time.Time `json:"time"`
	Left *float64  `json:"left_ratio"`
	Burn *float64  `json:"burn_1h"`
}

// BacktestDeploy is what the gate would have said to a deployment.
type BacktestDeploy struct {
	Deploy  Deploy       `json:"deploy"`
	Verdict Verdict      `json:"verdict" enum:"allow,hold,block,insufficient"`
	Summary string       `json:"summary"`
	Reasons []GateReason `json:"reasons"`
}

// BacktestDifference is one line of a comparison.
type BacktestDifference struct {
	What       string  `json:"what"`
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Difference float64 `json:"difference" doc:"b - a"`
	Unit       string  `json:"unit,omitempty" doc:"s for seconds, % for shares"`
}

// Destination is where an alert is routed.
type Destination struct {
	Receiver string
	Group    Labels // labels that alerts are grouped by
}
