package auditlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	hashLen = 2 * sha256.Size
	// maxLine is more than any line that is written has.
	maxLine = 1 << 20
	// maxText bounds each text of an entry, maxTexts all of them: escaped sixfold they still fit a line.
	maxText  = 16 << 10
	maxTexts = 128 << 10
)

const (
	lineStart = `{"hash":"`
	lineMid   = `","entry":`
	lineEnd   = `}`
)

// Line is an entry as it is exported: what an outsider needs to verify it.
type Line struct {
	Prev  string          `json:"prev"` // hash of the entry before it, which the export may leave out
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"` // exactly what was hashed
}

// header is the first line of a month's file.
type header struct {
	Partition string `json:"partition"` // 2026-11
	First     int64  `json:"first"`     // number of its first entry
	Prev      string `json:"prev"`      // hash before it; empty at the chain's beginning
	Format    int    `json:"format"`
}

const format = 1

// appendLine adds an entry's line to buf and answers its hash.
func appendLine(buf []byte, prev string, e model.AuditEntry) (_ []byte, hash string, err error) {
	text, err := json.Marshal(e) // map keys are sorted
	if err != nil {
		return buf, "", fmt.Errorf("encode audit entry: %w", err)
	}
	hash = hashOf(prev, text)
	buf = append(append(append(append(buf, lineStart...), hash...), lineMid...), text...)
	return append(append(buf, lineEnd...), '\n'), hash, nil
}

// hashOf is the chain: what came before, and the entry byte by byte.
func hashOf(prev string, entry []byte) string {
	h := sha256.New()
	h.Write([]byte(prev))
	h.Write([]byte{'\n'})
	h.Write(entry)
	return hex.EncodeToString(h.Sum(nil))
}

var errLine = errors.New("it is no line of the audit log")

// parseLine takes a line apart; what it answers points into it.
func parseLine(line []byte) (hash string, entry []byte, err error) {
	const fixed = len(lineStart) + hashLen + len(lineMid)
	switch {
	case len(line) < fixed+len(lineEnd),
		!bytes.HasPrefix(line, []byte(lineStart)),
		!bytes.HasPrefix(line[len(lineStart)+hashLen:], []byte(lineMid)),
		!bytes.HasSuffix(line, []byte(lineEnd)):
		return "", nil, errLine
	}
	return string(line[len(lineStart) : len(lineStart)+hashLen]), line[fixed : len(line)-len(lineEnd)], nil
}

// decodeEntry reads an entry; one that is no JSON any more is an error.
func decodeEntry(text []byte) (e model.AuditEntry, err error) {
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%w: %w", errLine, err)
	}
	return e, nil
}

// numberOf reads an entry's number without the rest of it, which makes verifying a matter of hashing.
func numberOf(entry []byte) (n int64, ok bool) {
	rest, ok := bytes.CutPrefix(entry, []byte(`{"id":`))
	if !ok {
		return 0, false
	}
	for i, c := range rest {
		if c < '0' || c > '9' {
			return n, i > 0 && c == ','
		}
		if n > 1<<58 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return 0, false
}

// bounded cuts what is too long to keep, and says so; a time that JSON cannot say becomes now.
func bounded(e model.AuditEntry, now time.Time) model.AuditEntry {
	if e.Time.IsZero() || e.Time.Year() < 1 || e.Time.Year() > 9999 {
		e.Time = now
	}
	e.Time = e.Time.UTC()
	cut, left := false, maxTexts
	short := func(s string) string {
		if most := min(maxText, left); len(s) > most {
			cut, s = true, s[:most]
		}
		left -= len(s)
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	e.Actor, e.Action, e.Tenant, e.Subject = short(e.Actor), short(e.Action), short(e.Tenant), short(e.Subject)
	details := make(map[string]string, len(e.Details))
	for k, v := range e.Details {
		if len(details) < 64 {
			details[short(k)] = short(v)
		} else {
			cut = true
		}
	}
	if cut {
		details["cut"] = "what was longer than the log keeps"
	}
	if len(details) > 0 {
		e.Details = details
	} else {
		e.Details = nil
	}
	return e
}
