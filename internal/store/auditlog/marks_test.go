package auditlog

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// marked is which entries are listed as touched, newest first and as they are exported.
func marked(t *testing.T, l *Log) (out map[int64]string, listed int) {
	t.Helper()
	list, err := l.AuditEntries(t.Context(), store.AuditQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out, again := map[int64]string{}, map[int64]string{}
	for _, e := range list {
		if e.Tampered != "" {
			out[e.ID] = e.Tampered
		}
	}
	if err := l.ExportAudit(t.Context(), store.AuditQuery{}, func(_ []byte, e model.AuditEntry) error {
		if e.Tampered != "" {
			again[e.ID] = e.Tampered
		}
		return nil
	}); err != nil || !maps.Equal(out, again) {
		t.Errorf("listed %v, exported %v, %v", out, again, err)
	}
	return out, len(list)
}

// Whatever is done to a line, the list says so at that line or at the next one, wherever in its file and block it stands.
func TestAListMarksWhatWasDoneToAnEntry(t *testing.T) {
	rehashed := func(prev, line []byte) []byte {
		before, _, _ := parseLine(prev)
		_, entry, _ := parseLine(line)
		entry = bytes.Replace(entry, []byte(`"actor":"`), []byte(`"actor":"x`), 1)
		return fmt.Appendf(nil, `{"hash":"%s","entry":%s}`, hashOf(before, entry), entry)
	}
	for name, c := range map[string]struct {
		do   func(lines [][]byte, n int) [][]byte // the line of entry n is lines[n]
		at   int64                                // which entry is marked, after n
		want string
	}{
		"edited": {func(l [][]byte, n int) [][]byte {
			l[n] = bytes.Replace(l[n], []byte(`"actor":"`), []byte(`"actor":"x`), 1)
			return l
		}, 0, "it was changed after it was written"},
		"edited and hashed anew": {func(l [][]byte, n int) [][]byte { l[n] = rehashed(l[n-1], l[n]); return l }, 1, "is not the one that followed entry %d"},
		"deleted":                {func(l [][]byte, n int) [][]byte { return append(l[:n:n], l[n+1:]...) }, 1, "entry %d before it is missing"},
		"deleted with the next":  {func(l [][]byte, n int) [][]byte { return append(l[:n:n], l[n+2:]...) }, 2, "entries %d to "},
		"no entry any more":      {func(l [][]byte, n int) [][]byte { l[n] = []byte("{}"); return l }, 1, "entry %d before it is missing"},
		"put there twice":        {func(l [][]byte, n int) [][]byte { return append(l[:n+1:n+1], l[n:]...) }, 0, "it was put there"},
	} {
		for _, n := range []int{700, 1200} {
			dir, clk := t.TempDir(), &clock{time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)}
			l := open(t, dir, clk, nil)
			entries := make([]model.AuditEntry, 1500)
			for i := range entries {
				entries[i] = model.AuditEntry{Actor: "user:ann", Action: "query.metrics", Details: map[string]string{"query": strings.Repeat("up ", 70)}}
			}
			if err := l.append(entries); err != nil {
				t.Fatal(err)
			}
			if marks, listed := marked(t, l); len(marks) > 0 || listed != 1000 {
				t.Fatalf("%d listed, before anything was done %v", listed, marks)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			lines := c.do(bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), n)
			if err := os.WriteFile(files[0], append(bytes.Join(lines, []byte("\n")), '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
			l = open(t, dir, clk, nil)
			want := c.want
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, n)
			}
			marks, _ := marked(t, l)
			if len(marks) != 1 || !strings.Contains(marks[int64(n)+c.at], want) {
				t.Errorf("%s, entry %d: %v", name, n, marks)
			}
		}
	}
}
