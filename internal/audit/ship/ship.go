package ship

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Log is what is shipped; store/auditlog is one.
type Log interface {
	// Kept is the number of the newest entry that is on the disk for sure.
	Kept() int64
	// ExportAudit calls with entries and their lines, the oldest first.
	ExportAudit(ctx context.Context, q store.AuditQuery, yield func(line []byte, e model.AuditEntry) error) error
}

// Deps is what a Shipper is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // time.Now by default
	Log        Log
	// Dir keeps how far each target is.
	Dir string
	// Outgoing is how receivers are reached.
	Outgoing *outgoing.Guard
	// Version is the program's, which receivers are told.
	Version string
}

// Shipper sends to all targets. It is safe for concurrent use; Run must run.
type Shipper struct {
	targets []*target
}

// New makes a Shipper of targets that Validate has passed. It connects to nothing.
func New(targets []Target, d Deps) (*Shipper, error) {
	if err := errors.Join(Validate(targets)...); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	d.Logger = instrument.Logger(d.Logger)
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &Shipper{}
	for _, cfg := range targets {
		t := &target{cfg: cfg, deps: d, log: d.Logger.With("target", cfg.Name), file: filepath.Join(d.Dir, cfg.Name+".json")}
		var err error
		if t.to, err = senderOf(cfg, d); err != nil {
			return nil, fmt.Errorf("audit: ship to %s: %w", cfg.Name, err)
		}
		s.targets = append(s.targets, t)
	}
	if len(targets) > 0 {
		if err := os.MkdirAll(d.Dir, 0o750); err != nil {
			return nil, fmt.Errorf("audit: ship: %w", err)
		}
	}
	return s, instrument.Register(d.Registerer, "audit shipping", collector{s})
}

// Run ships until ctx ends.
func (s *Shipper) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { <-ctx.Done() }) // without targets too
	for _, t := range s.targets {
		all.Go(func() { t.run(ctx) })
	}
	all.Wait()
	return nil
}

// Targets says how far each target is.
func (s *Shipper) Targets() []store.AuditTarget {
	out := []store.AuditTarget{}
	for _, t := range s.targets {
		out = append(out, t.status())
	}
	return out
}

// lateAfter is how long entries may wait before somebody is to look.
const lateAfter = 5 * time.Minute

// Problems is what is wrong with shipping.
func (s *Shipper) Problems() (out []model.Problem) {
	for _, t := range s.targets {
		st := t.status()
		if st.LastError != "" && st.LagSeconds > lateAfter.Seconds() {
			out = append(out, model.Problem{
				Severity: "warning",
				Message:  fmt.Sprintf("The audit log does not reach %s: %d entries wait, the oldest for %s: %s.", st.Name, st.Waiting, time.Duration(st.LagSeconds*float64(time.Second)).Round(time.Minute), st.LastError),
				Cure:     "Look after the receiver, or after the target's address and credentials in audit.ship. Nothing is lost meanwhile; it is tried again by itself.",
			})
		}
		if st.Missed > 0 || st.Refused > 0 {
			out = append(out, model.Problem{
				Severity: "warning",
				Message:  fmt.Sprintf("%s lacks entries of the audit log: %d were not in the log any more when their turn came, %d were refused by the receiver. It is said until the next start.", st.Name, st.Missed, st.Refused),
				Cure:     "`signalbox audit verify` says whether entries were taken out of the log; `signalbox audit export` has what is there.",
			})
		}
		if st.Restarted != "" {
			out = append(out, model.Problem{
				Severity: "critical",
				Message:  fmt.Sprintf("%s had been sent another audit log than there is: %s. It is sent everything again.", st.Name, st.Restarted),
				Cure:     "Compare both: a log that was restored from a backup is shorter, one that was written anew was tampered with. It is said until the next start.",
			})
		}
	}
	return out
}

// collector shows the targets as metrics.
type collector struct{ s *Shipper }

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("signalbox_audit_ship_"+name, help, []string{"target"}, nil)
}

var (
	descSent     = describe("entries_total", "Entries of the audit log that were sent to a target, those that were sent again included.")
	descFailures = describe("failures_total", "Attempts to send entries of the audit log to a target that failed; they are repeated.")
	descRefused  = describe("refused_total", "Entries of the audit log that a target's receiver said it would not take.")
	descMissed   = describe("missed_total", "Entries that were not in the audit log any more when their turn came.")
	descWaiting  = describe("waiting_entries", "Entries of the audit log that a target does not have yet.")
	descLag      = describe("lag_seconds", "Age of the oldest entry of the audit log that a target does not have yet.")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSent, descFailures, descRefused, descMissed, descWaiting, descLag} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, t := range c.s.targets {
		st := t.status()
		for _, m := range []struct {
			desc  *prometheus.Desc
			kind  prometheus.ValueType
			value float64
		}{
			{descSent, prometheus.CounterValue, float64(st.Sent)},
			{descFailures, prometheus.CounterValue, float64(st.Failures)},
			{descRefused, prometheus.CounterValue, float64(st.Refused)},
			{descMissed, prometheus.CounterValue, float64(st.Missed)},
			{descWaiting, prometheus.GaugeValue, float64(st.Waiting)},
			{descLag, prometheus.GaugeValue, st.LagSeconds},
		} {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value, st.Name)
		}
	}
}

func senderOf(t Target, d Deps) (sender, error) {
	switch {
	case t.Syslog != nil:
		return newSyslog(*t.Syslog, d)
	case cmp.Or(t.OTLP.Protocol, "http") == protocolGRPC:
		return newOTLPGRPC(*t.OTLP, d)
	}
	return newOTLPHTTP(*t.OTLP, d)
}
