package backtest

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Document is one file's text.
type Document struct {
	Name string `json:"name" maxLength:"500" doc:"file name, for messages"`
	Text string `json:"text"`
}

// Set is what is replayed. Without SLOs and rules it is the SLOs in
// force, without policies the gate's policy in force.
type Set struct {
	SLOs     []Document `json:"slos,omitempty" doc:"OpenSLO documents"`
	Policies []Document `json:"policies,omitempty" doc:"gate policies"`
	Rules    []Document `json:"rules,omitempty" doc:"Prometheus rule files"`
}

// Request asks what would have happened between Start and End with Set
// and, side by side, with Compare; what Compare leaves out is as in Set.
type Request struct {
	Set        Set
	Compare    *Set
	Start, End time.Time
	Step       time.Duration // whole minutes
}

// State says how far a job is.
type State string

// The states of a job.
const (
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Job is a backtest under way or finished; Result is set when done.
type Job struct {
	ID       string    `json:"id"`
	State    State     `json:"state" enum:"running,done,failed,cancelled"`
	Progress float64   `json:"progress" doc:"0 to 1"`
	Error    string    `json:"error,omitempty" doc:"why it failed"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds" doc:"how long it has run"`
	Result   *Result   `json:"result,omitempty"`
}

// Result is what would have happened.
type Result struct {
	Start      time.Time    `json:"start"`
	End        time.Time    `json:"end"`
	Step       string       `json:"step"`
	Summary    string       `json:"summary" doc:"one sentence"`
	Sets       []Outcome    `json:"sets" doc:"A, and B when two are compared"`
	Difference []Difference `json:"difference" doc:"A against B, line by line"`
	Notes      []string     `json:"notes" doc:"what the figures leave out"`
}

// Outcome is what would have happened with one set.
type Outcome struct {
	Name    string   `json:"name" enum:"A,B"`
	Pages   []Page   `json:"pages" doc:"notifications, oldest first"`
	Alerts  []Alert  `json:"alerts" doc:"oldest first"`
	SLOs    []SLO    `json:"promises"`
	Deploys []Deploy `json:"deploys" doc:"oldest first"`
}

// Alert is one firing of one alert.
type Alert struct {
	Name      string       `json:"name"`
	SLO       string       `json:"slo,omitempty"`
	Service   string       `json:"service,omitempty"`
	Severity  string       `json:"severity"`
	Labels    model.Labels `json:"labels"`
	Receivers []string     `json:"receivers" doc:"by the routing tree in force"`
	Start     time.Time    `json:"start"`
	End       *time.Time   `json:"end,omitempty" doc:"absent when it still fires at the end"`
	Seconds   float64      `json:"seconds"`
}

// Page is one notification to one receiver: alerts of one group and
// severity whose times overlap.
type Page struct {
	Receiver string       `json:"receiver"`
	Severity string       `json:"severity"`
	Group    model.Labels `json:"group" doc:"labels that its alerts were grouped by"`
	Alerts   []string     `json:"alerts" doc:"names of its alerts"`
	Start    time.Time    `json:"start"`
	End      *time.Time   `json:"end,omitempty"`
	Seconds  float64      `json:"seconds"`
}

// SLO is how one SLO fared.
type SLO struct {
	Name        string     `json:"name"`
	DisplayName string     `json:"display_name"`
	Service     string     `json:"service"`
	Objective   float64    `json:"objective"`
	Window      string     `json:"window"`
	Bad         float64    `json:"bad" doc:"events or minutes, between start and end"`
	Total       float64    `json:"total"`
	UsedAtStart *float64   `json:"used_at_start" doc:"share of the budget of the window that ends then"`
	UsedAtEnd   *float64   `json:"used_at_end"`
	WorstUsed   *float64   `json:"worst_used"`
	WorstAt     *time.Time `json:"worst_at,omitempty"`
	Alerts      int        `json:"alerts"`
	Unknown     float64    `json:"unknown_seconds" doc:"time that nobody can vouch for"`
	Bands       []Band     `json:"bands" doc:"time in each band of the policy"`
	Curve       []Point    `json:"curve"`
}

// Band is time spent in a band of the budget.
type Band struct {
	Name    string  `json:"name"`
	From    float64 `json:"from" doc:"share of the budget used from which it holds"`
	Seconds float64 `json:"seconds"`
}

// Point is one point of a budget curve; nil is a gap.
type Point struct {
	Time time.Time `json:"time"`
	Left *float64  `json:"left_ratio"`
	Burn *float64  `json:"burn_1h"`
}

// Deploy is what the gate would have said to a deployment.
type Deploy struct {
	Deploy  model.Deploy       `json:"deploy"`
	Verdict model.Verdict      `json:"verdict" enum:"allow,hold,block,insufficient"`
	Summary string             `json:"summary"`
	Reasons []model.GateReason `json:"reasons"`
}

// Difference is one line of a comparison.
type Difference struct {
	What       string  `json:"what"`
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Difference float64 `json:"difference" doc:"b - a"`
	Unit       string  `json:"unit,omitempty" doc:"s for seconds, % for shares"`
}
