package oncall

import (
	"fmt"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// MaxHeartbeats bounds how many heartbeats files may name.
const MaxHeartbeats = 1000

// Heartbeat is something that has to say regularly that it works.
type Heartbeat struct {
	Name     string          `yaml:"name" json:"name"`
	Every    common.Duration `yaml:"every" json:"every" doc:"how often it is pinged"`
	Grace    common.Duration `yaml:"grace" json:"grace" doc:"how much later than that it is missed; a tenth, and 30s at least, by default"`
	Severity string          `yaml:"severity" json:"severity" doc:"of the alert; high by default"`
	Service  string          `yaml:"service" json:"service,omitempty"`
	Team     string          `yaml:"team" json:"team,omitempty" doc:"whose it is; that of the service, if absent"`
	Text     string          `yaml:"text" json:"text,omitempty" doc:"what it is"`
	Runbook  string          `yaml:"runbook" json:"runbook,omitempty" doc:"the address of what to do"`
}

// HeartbeatState is how a heartbeat stands.
type HeartbeatState string

// HeartbeatStanding is one heartbeat and how it stands.
type HeartbeatStanding struct {
	Heartbeat
	State   HeartbeatState `json:"state" enum:"new,ok,late,missed,failed,unknown"`
	Summary string         `json:"summary"`
	Last    *time.Time     `json:"last,omitempty" doc:"the last ping that said all is well, or that it failed"`
	Started *time.Time     `json:"started,omitempty" doc:"when it said last that it begins"`
	Due     *time.Time     `json:"due,omitempty" doc:"when it is missed, unless it is pinged"`
	Note    string         `json:"note,omitempty" doc:"what the last ping said"`
}

// HeartbeatPing is what something says of itself.
type HeartbeatPing struct {
	Start, Fail bool
	ExitCode    int // others than 0 are a failure
	Note        string
}

// The bounds of a heartbeat.
const (
	shortestBeat = 30 * time.Second
	longestBeat  = 400 * 24 * time.Hour
	leastGrace   = 30 * time.Second
)

// validate lists what is wrong; each message begins with the field. It fills in what is by default.
func (h *Heartbeat) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(h.Name) {
		bad("name: %s, got %q", nameRule, h.Name)
	}
	if every := time.Duration(h.Every); every < shortestBeat || every > longestBeat {
		bad("every: must be between %s and 400d, got %s", common.Duration(shortestBeat), h.Every)
	}
	if h.Grace == 0 {
		h.Grace = max(h.Every/10, common.Duration(leastGrace))
	}
	if time.Duration(h.Grace) < leastGrace || time.Duration(h.Grace) > longestBeat {
		bad("grace: must be between %s and 400d, got %s", common.Duration(leastGrace), h.Grace)
	}
	if h.Severity == "" {
		h.Severity = "high"
	}
	if err := weblink.Check(h.Runbook); err != nil {
		bad("runbook: %w", err)
	}
	return errs
}

// placedBeat is a heartbeat and where it stands.
type placedBeat struct {
	Heartbeat
	file string
	line int
}

// parseHeartbeats reads the list heartbeats of a file.
func (s *sheet) parseHeartbeats(o *document.Object, file string) {
	for i, n := range o.List("heartbeats", false) {
		h := placedBeat{file: file, line: n.Line()}
		if n.Read(&h.Heartbeat, fmt.Sprintf("heartbeats[%d]", i), h.validate) {
			s.Heartbeats = append(s.Heartbeats, h)
		}
	}
}

// buildHeartbeats puts those of all files into force.
func buildHeartbeats(out *Roster, sheets []sheet) (problems []document.Problem) {
	first := map[string]placedBeat{}
	for _, s := range sheets {
		for _, h := range s.Heartbeats {
			if was, twice := first[h.Name]; twice {
				problems = append(problems, again("heartbeats", h.Name, h.file, h.line, was.file, was.line))
				continue
			}
			if len(out.Heartbeats) == MaxHeartbeats {
				problems = append(problems, document.Problem{File: h.file, Line: h.line, Message: fmt.Sprintf("heartbeats: more than %d", MaxHeartbeats), Cure: "let one be pinged for several"})
				return problems
			}
			first[h.Name] = h
			out.Heartbeats = append(out.Heartbeats, h.Heartbeat)
		}
	}
	return problems
}
