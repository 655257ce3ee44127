package auditlog

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func exported(t *testing.T, l *Log, q store.AuditQuery) (lines []string) {
	t.Helper()
	if err := l.ExportAudit(t.Context(), q, func(line []byte, _ model.AuditEntry) error {
		lines = append(lines, string(line)+"\n")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func exportOf(t *testing.T) []string {
	t.Helper()
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	fill(t, l, c, 25, 3*24*time.Hour)
	if err := l.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	return exported(t, l, store.AuditQuery{})
}

func intact(t *testing.T, text string, gaps bool) model.AuditVerification {
	t.Helper()
	v, _, err := CheckExport(strings.NewReader(text), gaps)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnExportIsVerifiedWithoutTheLog(t *testing.T) {
	lines := exportOf(t)
	whole := strings.Join(lines, "")
	if v := intact(t, whole, false); len(lines) != 25 || !v.Intact || v.Entries != 25 || v.Last != 25 {
		t.Fatalf("%d lines, %+v", len(lines), v)
	}
	for i := range whole {
		if whole[i] == '\n' {
			continue
		}
		for _, bit := range []byte{1, 0x20} {
			changed := []byte(whole)
			changed[i] ^= bit
			if v := intact(t, string(changed), true); v.Intact {
				t.Fatalf("byte %d: %q for %q is not noticed", i, changed[i], whole[i])
			}
		}
	}
	for i := range lines {
		rest := slices.Delete(slices.Clone(lines), i, i+1)
		if v := intact(t, strings.Join(rest, ""), false); v.Intact != (i == 0 || i == len(lines)-1) {
			t.Errorf("without line %d: %+v", i+1, v) // what an export begins and ends with is told, not known
		}
		if i > 0 {
			swapped := slices.Clone(lines)
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			if v := intact(t, strings.Join(swapped, ""), true); v.Intact {
				t.Errorf("lines %d and %d the other way round are not noticed", i, i+1)
			}
		}
	}
}

func TestAnExportOfSomeEntriesProvesEach(t *testing.T) {
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	fill(t, l, c, 2*exportPage+7, time.Minute)
	if all := exported(t, l, store.AuditQuery{}); len(all) != 2*exportPage+7 || !intact(t, strings.Join(all, ""), false).Intact {
		t.Errorf("%d lines", len(all))
	}
	some := strings.Join(exported(t, l, store.AuditQuery{Actor: "user:1"}), "")
	if v := intact(t, some, true); !v.Intact || v.Entries < exportPage/3 {
		t.Errorf("%+v", v)
	}
	if v := intact(t, some, false); v.Intact {
		t.Error("gaps are not noticed")
	}
}

func TestAMonthsFileIsVerifiedToo(t *testing.T) {
	c, dir := &clock{epoch}, t.TempDir()
	l := open(t, dir, c, nil)
	fill(t, l, c, 5, time.Minute)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	text, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	if v := intact(t, string(text), false); !v.Intact || v.Entries < 3 || v.Last != 5 {
		t.Errorf("%+v", v)
	}
	if v := intact(t, strings.Replace(string(text), "user:", "user;", 1), false); v.Intact {
		t.Error("a change is not noticed")
	}
	if got, ok := python(t, text); !ok {
		t.Error(got)
	}
}

// The program of the documentation says what ours says.
func TestTheDocumentedProgramVerifiesAnExport(t *testing.T) {
	lines := exportOf(t)
	if got, ok := python(t, []byte(strings.Join(lines, ""))); !ok || !strings.Contains(got, "the last is 25") {
		t.Errorf("%v %s", ok, got)
	}
	for name, changed := range map[string][]string{
		"an entry":         slices.Concat(lines[:3], []string{strings.Replace(lines[3], "user:", "user;", 1)}, lines[4:]),
		"the first entry":  slices.Concat([]string{strings.Replace(lines[0], "user:", "user;", 1)}, lines[1:]),
		"one is gone":      slices.Concat(lines[:3], lines[4:]),
		"two change place": {lines[0], lines[2], lines[1]},
	} {
		if got, ok := python(t, []byte(strings.Join(changed, ""))); ok {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func python(t *testing.T, text []byte) (string, bool) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "formats", "audit.md"))
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(doc)
	if _, err := exec.LookPath("python3"); err != nil || program == nil {
		t.Skip("no python3, or no program")
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", string(program[1]))
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
