package auditlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// exportPage is how many entries are read at once: nothing is held while whoever reads them takes their time.
const exportPage = 1000

// ExportAudit calls with every entry that is selected, the oldest first, and with its line as JSON, from which an outsider
// can verify it (CheckExport). It ends with the first error of yield.
func (l *Log) ExportAudit(ctx context.Context, q store.AuditQuery, yield func(line []byte, e model.AuditEntry) error) error {
	type exported struct {
		line  Line
		entry model.AuditEntry
	}
	after := q.After
	for {
		page := make([]exported, 0, exportPage)
		if err := l.Lines(ctx, after, q, func(line Line, e model.AuditEntry) bool {
			page = append(page, exported{line, e})
			return len(page) < exportPage
		}); err != nil {
			return err
		}
		for _, x := range page {
			if err := yield(x.line.text(), x.entry); err != nil {
				return err
			}
			after = x.entry.ID
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

// text is the line as JSON. The entry stands in it byte by byte: json.Marshal would write it anew.
func (l Line) text() []byte {
	return []byte(exportStart + l.Prev + exportMid + l.Hash + lineMid + string(l.Entry) + lineEnd)
}

const (
	exportStart = `{"prev":"`
	exportMid   = `","hash":"`
)

// CheckExport reads lines of an export, or of a month's file, and says whether each is what was written and follows the one
// before it. Where entries are left out each is still proved by its own line, but not that nothing was taken out between
// them: gaps says that this is no fault. Entries of a version before this log have no hash of this kind: they are counted
// as unproved.
func CheckExport(r io.Reader, gaps bool) (_ model.AuditVerification, unproved int64, _ error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), maxLine+4*hashLen)
	c := checked{gaps: gaps}
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		if fault := c.line(in.Bytes()); fault != "" {
			c.v.Fault, c.v.FirstBad = fmt.Sprintf("line %d: %s", n, fault), c.v.Last+1
			c.v.Faults = []string{c.v.Fault}
			return c.v, c.unproved, nil
		}
	}
	if err := in.Err(); err != nil {
		return c.v, c.unproved, fmt.Errorf("read audit export: %w", err)
	}
	c.v.Intact = true
	return c.v, c.unproved, nil
}

type checked struct {
	v        model.AuditVerification
	gaps     bool
	begun    bool // an entry with a hash was seen, or where a month begins
	unproved int64
}

// line answers what is wrong with a line; "" is nothing.
func (c *checked) line(line []byte) string {
	var h header
	if bytes.HasPrefix(line, []byte(`{"partition":`)) && json.Unmarshal(line, &h) == nil {
		return c.enter(h.First, h.Prev)
	}
	prev, chained := c.v.Hash, line // of a month's file, where none is said
	if rest, ok := bytes.CutPrefix(line, []byte(exportStart)); ok {
		before, after, ok := bytes.Cut(rest, []byte(exportMid))
		if !ok {
			return "it is no line of an export"
		}
		if prev = string(before); bytes.HasPrefix(after, []byte(lineMid)) {
			return c.former(after[len(lineMid):])
		}
		chained = append([]byte(lineStart), after...)
	}
	hash, entry, err := parseLine(chained)
	id, ok := numberOf(entry)
	if err != nil || !ok {
		return "it is no line of the audit log"
	}
	if hashOf(prev, entry) != hash {
		return fmt.Sprintf("entry %d was changed after it was written, or is not the one that followed%s", id, whose(entry))
	}
	if fault := c.enter(id, prev); fault != "" {
		return fault
	}
	c.v.Last, c.v.Hash = id, hash
	c.v.Entries++
	return ""
}

// enter compares where a line goes on with what came before it.
func (c *checked) enter(id int64, prev string) string {
	was := end{c.v.Last, c.v.Hash}
	begun := c.begun || c.unproved > 0
	c.begun = true
	switch {
	case begun && id <= was.ID:
		return fmt.Sprintf("entry %d stands behind entry %d", id, was.ID)
	case begun && id > was.ID+1 && !c.gaps:
		return fmt.Sprintf("entries %d to %d are missing", was.ID+1, id-1)
	case begun && id == was.ID+1 && prev != was.Hash && was.Hash != "":
		return fmt.Sprintf("entry %d does not follow the entry %d that stands before it", id, was.ID)
	}
	c.v.Last, c.v.Hash = id-1, prev
	return ""
}

// former takes an entry of a version before this log.
func (c *checked) former(rest []byte) string {
	id, ok := numberOf(rest)
	switch {
	case !ok:
		return "it is no line of an export"
	case c.begun:
		return fmt.Sprintf("entry %d has no hash, though entries before it have one", id)
	case id <= c.v.Last:
		return fmt.Sprintf("entry %d stands behind entry %d", id, c.v.Last)
	}
	c.v.Last = id
	c.v.Entries++
	c.unproved++
	return ""
}
