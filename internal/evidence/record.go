package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Kind names what kind of thing a record is.
type Kind string

// The kinds. A decision's override and a page's acknowledgement are named by what they are of.
const (
	Decision   Kind = "gate_decision"
	Override   Kind = "gate_override"
	Key        Kind = "gate_key"
	Correction Kind = "slo_correction"
	Ack        Kind = "page_ack"
)

// Record is what is compared: a kept thing, named and digested. A zero Time is not known.
type Record struct {
	Kind   Kind
	ID     string
	Digest string // "" where the thing is not there
	Time   time.Time
	Fault  string // what its own signature says is wrong
}

// digest is of texts, each with its length before it, so that no two lists read alike. It rests on no encoding of a type: a
// field that a later version adds changes none.
func digest(kind Kind, texts ...string) string {
	h := sha256.New()
	for _, s := range append([]string{string(kind)}, texts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil)[:digestBytes])
}

const digestBytes = 16

// instant is a time as databases keep it.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

// OfDecision is a decision, by what was signed: whether it says the same is for the signature to prove.
func OfDecision(d model.GateDecision) Record {
	r := Record{Kind: Decision, ID: d.ID, Time: d.Time, Fault: d.Tampered}
	if d.Envelope != nil {
		r.Digest = digest(Decision, d.ID, string(d.Envelope.Payload))
	}
	return r
}

// OfOverride is the override of a decision.
func OfOverride(decision string, o *model.GateOverride) Record {
	r := Record{Kind: Override, ID: decision}
	if o == nil {
		return r
	}
	r.Fault = o.Tampered
	signature := ""
	if o.Signature != nil {
		signature = base64.StdEncoding.EncodeToString(o.Signature.Sig)
	}
	r.Time, r.Digest = o.Time, digest(Override, o.ID, o.DecisionID, o.Actor, o.Reason, instant(o.Time), instant(o.Expires), signature)
	return r
}

// OfKey is a public key of the gate.
func OfKey(id, pem string) Record {
	return Record{Kind: Key, ID: id, Digest: digest(Key, id, strings.TrimSpace(pem))}
}

// OfCorrection is a correction of a budget.
func OfCorrection(c model.SLOCorrection) Record {
	return Record{
		Kind: Correction, ID: c.ID, Time: c.Created,
		Digest: digest(Correction, c.ID, c.SLO, c.Kind, c.Author, c.Reason, instant(c.Start), instant(c.End), instant(c.Created)),
	}
}

// OfAck is the acknowledgement of a page.
func OfAck(p model.Page) Record {
	r := Record{Kind: Ack, ID: p.ID}
	if p.AckedBy != "" && p.AckedAt != nil {
		r.Time, r.Digest = *p.AckedAt, digest(Ack, p.ID, p.AckedBy, instant(*p.AckedAt))
	}
	return r
}

// Without is the record after the thing was taken away by who may: a note of it ends what was noted before.
func (r Record) Without() Record {
	r.Digest = ""
	return r
}

// The form in which entries of the audit log note records: one value, which a search for how it Begins finds.
const (
	detail = "evidence"
	Begins = "evidence:"
	absent = "-"
)

// Note adds to an entry of the audit log, which tells of their being written or taken away, what the records are.
func Note(e *model.AuditEntry, records ...Record) {
	if e.Details == nil {
		e.Details = map[string]string{}
	}
	e.Details[detail] = noteOf(records)
}

// NoteAck notes the acknowledgement of a page that was made at a time: who acknowledges a page again notes nothing, as what stands
// there may have been edited.
func NoteAck(e *model.AuditEntry, p model.Page, at time.Time) {
	if p.AckedAt != nil && p.AckedAt.Equal(at) {
		Note(e, OfAck(p))
	}
}

func noteOf(records []Record) string {
	var b strings.Builder
	b.WriteString(Begins)
	for _, r := range records {
		b.WriteByte(' ')
		d := r.Digest
		if d == "" {
			d = absent
		}
		b.WriteString(string(r.Kind) + "/" + url.QueryEscape(r.ID) + "=" + d)
	}
	return b.String()
}

// Stamp says in whose database the records are that an entry notes: a request may name a tenant that has none of its own.
func Stamp(e model.AuditEntry, tenant string) model.AuditEntry {
	text, ok := strings.CutPrefix(e.Details[detail], Begins+" ")
	if ok {
		e.Details = maps.Clone(e.Details)
		e.Details[detail] = Begins + url.QueryEscape(tenant) + " " + text
	}
	return e
}

// Noted reads what an entry says of records, and whose they are; what cannot be read is left out.
func Noted(e model.AuditEntry) (tenant string, out []Record, ok bool) {
	text, ok := strings.CutPrefix(e.Details[detail], Begins)
	if !ok {
		return "", nil, false
	}
	tenant, text, _ = strings.Cut(text, " ")
	tenant, err := url.QueryUnescape(tenant)
	if err != nil || tenant == "" {
		tenant = cmp.Or(e.Tenant, model.DefaultTenant)
	}
	for one := range strings.FieldsSeq(text) {
		name, d, ok := strings.Cut(one, "=")
		kind, escaped, named := strings.Cut(name, "/")
		id, err := url.QueryUnescape(escaped)
		if !ok || !named || err != nil {
			continue
		}
		if d == absent {
			d = ""
		}
		out = append(out, Record{Kind: Kind(kind), ID: id, Digest: d, Time: e.Time})
	}
	return tenant, out, true
}

// Say names a record for people, and what is wrong with it.
func (r Record) Say(wrong string) string {
	name := map[Kind]string{
		Decision: "gate decision", Override: "override of gate decision", Key: "gate key", Correction: "SLO correction", Ack: "acknowledgement of page",
	}[r.Kind]
	return name + " " + r.ID + ": " + wrong
}
