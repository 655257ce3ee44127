package witness

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// memory is an audit log.
type memory struct{ entries []model.AuditEntry }

func (m *memory) Note(model.AuditEntry) {}

func (m *memory) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	if e.ID = int64(len(m.entries) + 1); e.Time.IsZero() {
		e.Time = day(10)
	}
	m.entries = append(m.entries, e)
	return e, nil
}

func (m *memory) AuditEntries(_ context.Context, q store.AuditQuery) (out []model.AuditEntry, _ error) {
	for _, e := range m.entries {
		if q.Takes(e) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memory) ExportAudit(ctx context.Context, q store.AuditQuery, yield func([]byte, model.AuditEntry) error) error {
	list, err := m.AuditEntries(ctx, q)
	for _, e := range list {
		if err == nil {
			err = yield(nil, e)
		}
	}
	return err
}

// rows is a database.
type rows struct {
	corrections []model.SLOCorrection
	keys        []model.GateKey
}

func (r *rows) SLOCorrections(context.Context) ([]model.SLOCorrection, error) {
	return r.corrections, nil
}

func (r *rows) GateKeys(context.Context) ([]model.GateKey, error)                { return r.keys, nil }
func (r *rows) Pages(context.Context, store.PageQuery) ([]model.Page, error)     { return nil, nil }
func (r *rows) Decision(context.Context, string) (d model.GateDecision, _ error) { return d, nil }
func (r *rows) Decisions(context.Context, store.DecisionQuery) ([]model.GateDecision, string, error) {
	return nil, "", nil
}

func (r *rows) SaveGateKey(_ context.Context, k model.GateKey) error {
	r.keys = append(r.keys, k)
	return nil
}

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

func correction(id string, created time.Time) model.SLOCorrection {
	return model.SLOCorrection{ID: id, SLO: "edge", Kind: "maintenance", Author: "kim", Reason: "r", Start: day(1), End: day(2), Created: created}
}

// started is a start over a log and a database.
func started(t *testing.T, log *memory, db *rows, lost string, at time.Time) *Checker {
	t.Helper()
	l := NewLedger(log)
	if err := l.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := NewChecker(l, "default", func() time.Time { return at })
	if err := c.start(t.Context(), db, lost); err != nil {
		t.Fatal(err)
	}
	return c
}

func touched(t *testing.T, c *Checker, db *rows) string {
	t.Helper()
	list, err := c.Compare(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "\n")
}

func write(t *testing.T, c *Checker, at time.Time, records ...evidence.Record) {
	t.Helper()
	e := model.AuditEntry{Time: at, Actor: "kim", Action: "slo.correct", Tenant: "whatever the header said"}
	evidence.Note(&e, records...)
	if _, err := c.ledger.Audit(t.Context(), c.Stamp(e)); err != nil {
		t.Fatal(err)
	}
}

// While the log is read, nobody knows of overrides that are gone: none is made up for decisions that had none.
func TestNoOverrideIsMadeUpWhileTheLogIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := Decisions{DecisionStore: &rows{}, Checker: NewChecker(NewLedger(&memory{}), "default", nil)}
		d, err := w.Decision(ctx, "d1")
		if err != nil || d.Override != nil || !strings.HasPrefix(d.Tampered, model.Uncompared) || model.Suspicion(d.Tampered) != "not compared" {
			t.Errorf("%+v %v", d, err)
		}
	})
}

func TestWhatIsFoundAndWhatIsNoFault(t *testing.T) {
	log, db := &memory{}, &rows{corrections: []model.SLOCorrection{correction("old", day(1))}, keys: []model.GateKey{{ID: "k1", PEM: "one"}}}
	c := started(t, log, db, "", day(10))
	if text := touched(t, c, db); text != "" || len(log.entries) != 1 || log.entries[0].Action != actionBegins {
		t.Fatalf("%q %v", text, log.entries)
	}
	noted := correction("noted", day(11))
	db.corrections = append(db.corrections, noted)
	write(t, c, day(11), evidence.OfCorrection(noted))
	db.corrections = append(db.corrections, correction("before notes", day(1)), correction("put there", day(12)), correction("a moment ago", day(20)))
	c = started(t, log, db, "", day(20))
	if text := touched(t, c, db); !strings.Contains(text, "correction put there: no entry of the audit log tells of it") || strings.Count(text, "\n") > 0 {
		t.Errorf("%q", text)
	}
	write(t, c, day(20), evidence.OfCorrection(noted).Without())
	if text := touched(t, c, db); !strings.Contains(text, "noted: it was taken back on 2026-11-20") {
		t.Errorf("%q", text)
	}
	db.corrections = nil
	if text := touched(t, c, db); text != "SLO correction old: it was deleted from the database: entry 1 of the audit log notes it on 2026-11-10 12:00:00 UTC; somebody deleted it, or put an older database in its place" {
		t.Errorf("%q", text)
	}
	c = started(t, log, db, "The state database was damaged.", day(21))
	if text := touched(t, c, db); !strings.Contains(text, "put back to an older state on 2026-11-10 12:00:00 UTC (entry 4), which may be why") {
		t.Errorf("%q", text)
	}
	if len(c.Problems()) != 1 || !strings.Contains(c.Problems()[0].Message, "1 records") {
		t.Errorf("%v", c.Problems())
	}
}

// stands are SLOs as the engine has them: what is in force was read before anybody touched the database.
type stands struct {
	SLOReader
	list []model.SLOStatus
}

func (s stands) SLOs(context.Context, string) ([]model.SLOStatus, string, error) {
	return s.list, "fine", nil
}
func (s stands) SLO(context.Context, string) (model.SLOStatus, error) { return s.list[0], nil }

func TestHowAnSLOStandsMarksItsCorrections(t *testing.T) {
	log, db := &memory{}, &rows{}
	c := started(t, log, db, "", day(10))
	names := []string{"as it was", "edited", "deleted", "taken back"}
	inForce := stands{list: []model.SLOStatus{{Name: "edge"}, {Name: "other"}}}
	for _, name := range names {
		one := correction(name, day(11))
		write(t, c, day(11), evidence.OfCorrection(one))
		inForce.list[0].Corrections = append(inForce.list[0].Corrections, one)
	}
	write(t, c, day(12), evidence.OfCorrection(model.SLOCorrection{ID: "taken back"}).Without()) // until the next evaluation it stands there
	edited := correction("edited", day(11))
	edited.End = day(5)
	db.corrections = []model.SLOCorrection{correction("as it was", day(11)), edited}
	want := map[string]string{"as it was": "", "edited": "it was changed in the database", "deleted": "it was taken out of the database", "taken back": ""}
	check := func(c *Checker, kept func(context.Context) ([]model.SLOCorrection, error), want map[string]string) {
		t.Helper()
		w := Standing{SLOReader: inForce, Kept: kept, Checker: c}
		list, summary, err := w.SLOs(t.Context(), "")
		one, errOne := w.SLO(t.Context(), "edge")
		if err != nil || errOne != nil || summary != "fine" || len(list) != 2 {
			t.Fatal(list, summary, err, errOne)
		}
		for _, s := range []model.SLOStatus{list[0], one} {
			for _, x := range s.Corrections {
				if mark := want[x.ID]; (mark == "") != (x.Tampered == "") || !strings.HasPrefix(x.Tampered, mark) {
					t.Errorf("%s: %q, want %q", x.ID, x.Tampered, mark)
				}
			}
		}
		for _, x := range inForce.list[0].Corrections {
			if x.Tampered != "" {
				t.Errorf("%s is marked in what the engine keeps", x.ID)
			}
		}
	}
	check(c, db.SLOCorrections, want)
	check(nil, db.SLOCorrections, map[string]string{})
	all := func(text string) map[string]string {
		return map[string]string{"as it was": text, "edited": text, "deleted": text, "taken back": text}
	}
	check(c, func(context.Context) ([]model.SLOCorrection, error) { return nil, errors.New("disk") }, all("it was not compared with the audit log: disk"))
	synctest.Test(t, func(*testing.T) { // an audit log that is read for longer than anybody waits
		check(NewChecker(NewLedger(log), "default", nil), db.SLOCorrections, all("it was not compared with the audit log: that is still being read"))
	})
	kept := KeptCorrections{Kept: db.SLOCorrections, Checker: c}
	if list, err := kept.SLOCorrections(t.Context()); err != nil || len(list) != 2 || list[0].Tampered != "" || !strings.HasPrefix(list[1].Tampered, want["edited"]) {
		t.Errorf("%+v %v", list, err)
	}
	gone, err := kept.GoneSLOCorrections(t.Context())
	if err != nil || len(gone) != 1 || gone[0].ID != "deleted" || !strings.HasPrefix(gone[0].Tampered, "it was deleted from the database") {
		t.Errorf("%+v %v", gone, err)
	}
}

// Retention drops a month of the log, and with it the notes of what was made in it.
func TestAMonthThatRetentionDroppedAccusesNobody(t *testing.T) {
	log, db := &memory{}, &rows{corrections: []model.SLOCorrection{correction("old", day(11))}, keys: []model.GateKey{{ID: "k1", PEM: "one"}}}
	c := started(t, log, db, "", day(10))
	write(t, c, day(11), evidence.OfCorrection(db.corrections[0]))
	later := day(11).AddDate(0, 2, 0)
	started(t, log, db, "", later) // which notes the key anew
	log.entries = log.entries[2:]
	log.entries[0].Time = later
	c = started(t, log, db, "", later.AddDate(0, 0, 1))
	if text := touched(t, c, db); text != "" {
		t.Errorf("%q", text)
	}
	db.keys[0].PEM = "another"
	if text := touched(t, c, db); !strings.Contains(text, "gate key k1: it was changed") {
		t.Errorf("%q", text)
	}
}

// A key that the gate made is noted; one that somebody put beside it is not.
func TestAKeyIsNotedByWhoeverMadeItAlone(t *testing.T) {
	log, db := &memory{}, &rows{}
	started(t, log, db, "", day(10))
	l := NewLedger(log)
	_ = l.read(t.Context())
	c := NewChecker(l, "default", nil)
	if err := (Keys{db, c}).SaveGateKey(t.Context(), model.GateKey{ID: "ours", PEM: "ours"}); err != nil {
		t.Fatal(err)
	}
	db.keys = append(db.keys, model.GateKey{ID: "theirs", PEM: "theirs", Since: day(1)})
	if err := c.start(t.Context(), db, ""); err != nil {
		t.Fatal(err)
	}
	if text := touched(t, c, db); !strings.Contains(text, "gate key theirs: no entry") || strings.Contains(text, "ours:") {
		t.Errorf("%q", text)
	}
}

// Who acknowledges again does not make right what was edited meanwhile.
func TestASecondAcknowledgementNotesNothing(t *testing.T) {
	first, again := day(1), day(2)
	p := model.Page{ID: "p", AckedBy: "ann", AckedAt: &first}
	var a, b model.AuditEntry
	evidence.NoteAck(&a, p, first)
	evidence.NoteAck(&b, p, again)
	if _, list, _ := evidence.Noted(a); len(list) != 1 || list[0].Digest != evidence.OfAck(p).Digest || len(b.Details) > 0 {
		t.Errorf("%v %v", a, b)
	}
}

// An entry that was changed itself proves nothing, and names with any letters come back as they were.
func TestNotesAreReadAsTheyWereWritten(t *testing.T) {
	r := evidence.Record{Kind: evidence.Ack, ID: "a b/ü=ñ%", Digest: "00"}
	var e model.AuditEntry
	evidence.Note(&e, r, r.Without())
	tenant, list, ok := evidence.Noted(evidence.Stamp(e, "a b"))
	if !ok || tenant != "a b" || len(list) != 2 || list[0] != r || list[1] != r.Without() {
		t.Errorf("%q %v", tenant, list)
	}
	l := NewLedger(&memory{})
	e.Tampered = store.AuditChanged + " after it was written"
	if l.take(e); len(l.notes) > 0 {
		t.Error("a changed entry is believed")
	}
}
