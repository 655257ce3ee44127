package witness

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Corrector keeps what people take out of SLOs; slo.Engine does.
type Corrector interface {
	Corrections(ctx context.Context, slo string) ([]model.SLOCorrection, error)
	Correct(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error)
	Uncorrect(ctx context.Context, slo, id string) error
}

// Corrections marks corrections that are not what the audit log notes. Those in force were read when the process started:
// what is compared is what the database has now.
type Corrections struct {
	Corrector
	Kept    func(context.Context) ([]model.SLOCorrection, error)
	Checker *Checker
}

// Corrections lists those of an SLO, the oldest first: those in force, those that the database has beside them, and those that are gone.
func (c Corrections) Corrections(ctx context.Context, slo string) ([]model.SLOCorrection, error) {
	list, err := c.Corrector.Corrections(ctx, slo)
	if err != nil {
		return nil, err
	}
	all, err := c.Kept(ctx)
	if err != nil {
		return nil, err
	}
	kept := byID(all)
	for _, one := range all {
		if one.SLO == slo && !slices.ContainsFunc(list, func(l model.SLOCorrection) bool { return l.ID == one.ID }) {
			list = append(list, one) // it comes into force with the next start
		}
	}
	for i, one := range list {
		list[i].Tampered = c.Checker.correction(ctx, one, kept)
	}
	gone, err := c.Checker.Gone(ctx, evidence.Correction, time.Time{}, time.Time{}, func(id string) bool {
		_, ok := kept[id]
		return ok || slices.ContainsFunc(list, func(l model.SLOCorrection) bool { return l.ID == id })
	})
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		if m.Entry.Subject == slo {
			list = append(list, goneCorrection(m))
		}
	}
	slices.SortStableFunc(list, func(a, b model.SLOCorrection) int { return a.Start.Compare(b.Start) })
	return list, nil
}

// goneCorrection is what the audit log says of a correction that is not there any more.
func goneCorrection(m Missing) model.SLOCorrection {
	d := m.Entry.Details
	start, _ := time.Parse(time.RFC3339, d["start"]) // zero where none was noted
	end, _ := time.Parse(time.RFC3339, d["end"])
	return model.SLOCorrection{
		ID: m.ID, SLO: m.Entry.Subject, Kind: d["kind"], Author: m.Entry.Actor, Reason: d["reason"], Start: start, End: end,
		Created: m.Entry.Time, Tampered: m.Text,
	}
}

// correction says what is wrong with one that is in force; kept are those that the database has now.
func (c *Checker) correction(ctx context.Context, one model.SLOCorrection, kept map[string]model.SLOCorrection) string {
	if now, ok := kept[one.ID]; ok {
		return c.Check(ctx, evidence.OfCorrection(now))
	}
	return c.Check(ctx, evidence.OfCorrection(one).Without())
}

func byID(list []model.SLOCorrection) map[string]model.SLOCorrection {
	out := map[string]model.SLOCorrection{}
	for _, one := range list {
		out[one.ID] = one
	}
	return out
}

// KeptCorrections marks the corrections that a database has, for whoever counts by them and not by those in force.
type KeptCorrections struct {
	Kept    func(context.Context) ([]model.SLOCorrection, error)
	Checker *Checker
}

// SLOCorrections are those that the database has.
func (k KeptCorrections) SLOCorrections(ctx context.Context) ([]model.SLOCorrection, error) {
	list, err := k.Kept(ctx)
	for i, one := range list {
		list[i].Tampered = k.Checker.Check(ctx, evidence.OfCorrection(one))
	}
	return list, err
}

// GoneSLOCorrections are those that the audit log notes and the database does not have.
func (k KeptCorrections) GoneSLOCorrections(ctx context.Context) (out []model.SLOCorrection, _ error) {
	list, err := k.Kept(ctx)
	if err != nil {
		return nil, err
	}
	there := byID(list)
	gone, err := k.Checker.Gone(ctx, evidence.Correction, time.Time{}, time.Time{}, func(id string) bool { return there[id].ID != "" })
	for _, m := range gone {
		out = append(out, goneCorrection(m))
	}
	return out, err
}

// SLOReader says how SLOs stand; slo.Engine does.
type SLOReader interface {
	SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error)
	SLO(ctx context.Context, name string) (model.SLOStatus, error)
}

// Standing marks in how SLOs stand the corrections that are not what the audit log notes. It hides no SLO: what cannot be compared
// is marked as such, also while the log is still being read, which takes a while after a start.
type Standing struct {
	SLOReader
	Kept    func(context.Context) ([]model.SLOCorrection, error)
	Checker *Checker
}

// SLOs are those of a service.
func (w Standing) SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error) {
	list, summary, err := w.SLOReader.SLOs(ctx, service)
	list = slices.Clone(list) // what is below stays as it is
	w.Mark(ctx, list)
	return list, summary, err
}

// SLO is one of them.
func (w Standing) SLO(ctx context.Context, name string) (model.SLOStatus, error) {
	s, err := w.SLOReader.SLO(ctx, name)
	one := []model.SLOStatus{s}
	w.Mark(ctx, one)
	return one[0], err
}

// patience is how long how SLOs stand waits for the audit log to be read.
const patience = 2 * time.Second

// Mark marks them in a list, whose own elements are changed and what they hold is not. It waits for the log, but not for long.
func (w Standing) Mark(ctx context.Context, list []model.SLOStatus) {
	if !slices.ContainsFunc(list, func(s model.SLOStatus) bool { return len(s.Corrections) > 0 }) {
		return
	}
	doubt := ""
	all, err := w.Kept(ctx)
	if err == nil && w.Checker != nil {
		err = w.Checker.readWithin(ctx, patience)
	}
	if err != nil {
		doubt = uncompared(err)
	}
	kept := byID(all)
	for i := range list {
		list[i].Corrections = slices.Clone(list[i].Corrections)
		for j, one := range list[i].Corrections {
			if doubt == "" {
				list[i].Corrections[j].Tampered = w.Checker.correction(ctx, one, kept)
			} else {
				list[i].Corrections[j].Tampered = doubt
			}
		}
	}
}

// readWithin waits for the log to be read, but not for long.
func (c *Checker) readWithin(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, errReading)
	defer cancel()
	if err := c.ledger.wait(ctx); ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

var errReading = errors.New("that is still being read; ask again in a moment")
