package model

import "time"

// Verdict is the gate's answer.
type Verdict string

// The verdicts, strictest first.
const (
	VerdictBlock        Verdict = "block"
	VerdictHold         Verdict = "hold"
	VerdictInsufficient Verdict = "insufficient"
	VerdictAllow        Verdict = "allow"
)

// GateRequest asks whether a version may be deployed.
type GateRequest struct {
	Service     string `json:"service" minLength:"1" maxLength:"200"`
	Environment string `json:"environment,omitempty" maxLength:"200"`
	Version     string `json:"version,omitempty" maxLength:"200"`
	Critical    bool   `json:"critical,omitempty" doc:"a critical fix: passes the 75 % hold, never the hard block"`
	Actor       string `json:"actor,omitempty" maxLength:"200" doc:"who or what asks"`
}

// GateDecision is a verdict with everything it rests on.
type GateDecision struct {
	ID       string       `json:"id"`
	Time     time.Time    `json:"time"`
	Request  GateRequest  `json:"request"`
	Verdict  Verdict      `json:"verdict" enum:"allow,hold,block,insufficient"`
	Summary  string       `json:"summary" doc:"one sentence, for example: Blocked: burn 21× over 1 h (limit 14×)."`
	Reasons  []GateReason `json:"reasons"`
	Evidence []Evidence   `json:"evidence"`
}

// GateReason is one rule's outcome; the strictest decides.
type GateReason struct {
	Verdict Verdict `json:"verdict" enum:"allow,hold,block,insufficient"`
	Rule    string  `json:"rule" doc:"burn_fast, burn_slow, budget_used, data"`
	SLO     string  `json:"slo,omitempty"`
	Message string  `json:"message"`
	Cure    string  `json:"cure,omitempty" doc:"what would change the verdict"`
}

// Evidence is one measured value that a verdict rests on. Value is nil where
// there was no data.
type Evidence struct {
	SLO       string    `json:"slo"`
	Name      string    `json:"name" doc:"for example burn_rate_1h, budget_used"`
	Query     string    `json:"query" doc:"the PromQL that was evaluated"`
	Window    string    `json:"window"`
	Value     *float64  `json:"value"`
	Threshold *float64  `json:"threshold,omitempty"`
	Events    float64   `json:"events" doc:"events in the window"`
	Coverage  float64   `json:"coverage" doc:"share of the window with data, 0 to 1"`
	LastData  time.Time `json:"last_data,omitzero" doc:"time of the newest sample seen"`
	Time      time.Time `json:"time"`
}
