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
	// Band is the strictest budget band among the SLOs; "" where none is known.
	Band string `json:"band,omitempty" enum:",normal,caution,critical-fixes-only,freeze"`
	// Changes are absent while nothing burns.
	Changes []Deploy `json:"changes,omitempty" doc:"what was changed in the service in the hour before its SLOs began to burn, the newest, which is the likely cause unless cause says another, first"`
	Cause   *Cause   `json:"cause,omitempty" doc:"what most likely made its SLOs burn; absent while nothing burns"`
	// Override is the newest break-glass override of this decision. It is not
	// part of what was signed: it came later.
	Override *GateOverride `json:"override,omitempty"`
	Tampered string        `json:"tampered,omitempty" doc:"what is wrong with it: it is not what was signed, because it was changed in the database; absent where it is"`
	// Envelope is absent in lists.
	Envelope *GateEnvelope `json:"envelope,omitempty" doc:"the decision and all it rests on, signed"`
}

// GateOverride lets a deployment pass in spite of a verdict, for a while and
// with a name and a reason on it.
type GateOverride struct {
	ID          string    `json:"id"`
	DecisionID  string    `json:"decision_id" doc:"the decision that was overridden"`
	Service     string    `json:"service"`
	Environment string    `json:"environment"`
	Version     string    `json:"version"`
	Verdict     Verdict   `json:"verdict" enum:"hold,block,insufficient" doc:"what the gate had said"`
	Actor       string    `json:"actor"`
	Reason      string    `json:"reason"`
	Time        time.Time `json:"time"`
	Expires     time.Time `json:"expires"`
	// Signature is of the gate, over all of the above.
	Signature *GateSignature `json:"signature,omitempty"`
	Tampered  string         `json:"tampered,omitempty" doc:"what is wrong with it: it is not what the gate signed, and the gate does not honour it; absent where it is"`
}

// GateEnvelope is a DSSE envelope (https://github.com/secure-systems-lab/dsse)
// around the canonical JSON of a decision, its input and its policies.
type GateEnvelope struct {
	PayloadType string          `json:"payloadType"`
	Payload     []byte          `json:"payload" doc:"base64 of canonical JSON (RFC 8785): decision, input, policies"`
	Signatures  []GateSignature `json:"signatures"`
}

// GateKey is a public key that gate decisions were signed by, from a time on.
type GateKey struct {
	ID    string // SHA-256 of the raw public key, hex
	PEM   string
	Since time.Time
}

// GateSignature is one Ed25519 signature of an envelope.
type GateSignature struct {
	KeyID string `json:"keyid" doc:"SHA-256 of the raw public key, hex"`
	Sig   []byte `json:"sig" doc:"base64"`
}

// GateReason is one rule's outcome; the strictest decides.
type GateReason struct {
	Verdict Verdict `json:"verdict" enum:"allow,hold,block,insufficient"`
	Rule    string  `json:"rule" doc:"override, burn_fast, burn_slow, budget_used, calendar, open_page, dependency, data"`
	Policy  string  `json:"policy,omitempty" doc:"the budget policy that says so"`
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
