package gate

import (
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Input is everything that a verdict rests on beside the policies: the same
// input and policies give the same decision. It is stored and signed with the
// decision, so the JSON form is kept compatible.
type Input struct {
	Request model.GateRequest `json:"request"`
	// Time is when the question was asked.
	Time time.Time `json:"time"`
	// SLOs are the SLOs that the deployment concerns.
	SLOs []model.SLOSnapshot `json:"promises"`
	// Dependencies are the SLOs of services that the service calls or that a
	// policy names.
	Dependencies []Dependency `json:"dependencies"`
	// Pages are the open pages about the service.
	Pages []OpenPage `json:"pages"`
	// Overrides are those of the same service, environment and version.
	Overrides []model.GateOverride `json:"overrides"`
	// Refused are overrides that do not count, as the gate did not sign them so, each with why.
	Refused []string `json:"refused,omitempty"`
	// Changes are the markers of the service around the time since when its
	// SLOs burn, the newest first: what most likely made them.
	Changes []model.Deploy `json:"changes,omitempty"`
	// Cause is what most likely made them; absent while nothing burns.
	Cause *model.Cause `json:"cause,omitempty"`
	// Unknown names inputs that could not be read, and why.
	Unknown []string `json:"unknown"`
}

// Dependency is how one SLO of another service stands.
type Dependency struct {
	Service     string         `json:"service"`
	Environment string         `json:"environment,omitempty"`
	SLO         string         `json:"slo"`
	State       model.SLOState `json:"state"`
	Reason      string         `json:"reason"`
	UsedRatio   float64        `json:"used_ratio"` // of its budget
	// Unknown says that UsedRatio is not known.
	Unknown bool `json:"unknown,omitempty"`
	// Called says that calls were seen; otherwise a policy names the service.
	Called bool `json:"called"`
	// Touched are its corrections that are not what the audit log notes of them.
	Touched []model.SLOCorrection `json:"touched,omitempty"`
}

// OpenPage is a page that is still firing.
type OpenPage struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"`
	Since    time.Time `json:"since"`
	AckedBy  string    `json:"acked_by,omitempty"`
	Tampered string    `json:"tampered,omitempty"` // what is wrong with who acknowledged it
}

// clean takes figures that are no numbers for what they are: no data. JSON
// could not keep them, and no comparison with them would mean anything.
func (in Input) clean() Input {
	in.Time = in.Time.UTC()
	in.SLOs = slices.Clone(in.SLOs)
	for i := range in.SLOs {
		// Whole milliseconds of a bounded number are exact as a float64, as JSON's numbers are.
		in.SLOs[i].Age = min(max(in.SLOs[i].Age, 0), maxAge).Round(time.Millisecond)
		s := &in.SLOs[i].Status
		if !finiteBudget(s.Budget) {
			s.Budget = model.Budget{Reason: "its figures are no numbers"}
		}
		if s.Felt != nil && !finiteBudget(*s.Felt) {
			s.Felt = nil
		}
		if s.Threshold != nil && !finite(*s.Threshold) {
			s.Threshold = nil
		}
		s.Parts = slices.DeleteFunc(slices.Clone(s.Parts), func(p model.SLOPart) bool { return !finite(p.Weight, p.Objective) })
		if !finite(s.Objective) {
			s.Objective, s.State, s.Reason = 0, model.SLOInsufficient, "its objective is no number"
		}
		if s.ExhaustedIn != nil && !finite(*s.ExhaustedIn) {
			s.ExhaustedIn = nil
		}
		s.Burn = slices.Clone(s.Burn)
		for k, b := range s.Burn {
			if !finite(b.Rate, b.Events, b.Coverage) {
				s.Burn[k] = model.Burn{Window: b.Window}
			}
		}
	}
	in.Dependencies = slices.Clone(in.Dependencies)
	for i := range in.Dependencies {
		if !finite(in.Dependencies[i].UsedRatio) {
			in.Dependencies[i].UsedRatio = 0
		}
	}
	return in
}

// maxAge is longer than any window.
const maxAge = 100 * 365 * 24 * time.Hour

func finiteBudget(b model.Budget) bool {
	return finite(b.Allowed, b.Bad, b.Total, b.UsedRatio, b.LeftRatio, b.Minutes, b.SLI, b.Coverage)
}

func finite(figures ...float64) bool {
	return !slices.ContainsFunc(figures, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}
