package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// written is a folder with a log over three months, the first of them packed.
func written(t testing.TB, c *clock) string {
	dir := t.TempDir()
	l := open(t, dir, c, nil)
	fill(t, l, c, 9, 5*24*time.Hour)
	if err := l.pack(l.closed[0]); err != nil {
		t.Fatal(err)
	}
	fill(t, l, c, 9, 3*24*time.Hour)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// content is every line of every partition in the chain's order: what somebody who changes files is after.
func content(t testing.TB, dir string) string {
	parts, bad, err := listPartitions(dir)
	var out strings.Builder
	fmt.Fprint(&out, bad, err)
	for _, p := range parts {
		r, err := p.open()
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := r.line()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					fmt.Fprint(&out, err)
				}
				break
			}
			fmt.Fprintf(&out, "%s\n", line)
		}
		_ = r.Close()
	}
	return out.String()
}

// tamper does one thing to the files of a log, and says what.
func tamper(t testing.TB, dir string, r *rand.Rand) string {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	path := files[r.IntN(len(files))]
	name := filepath.Base(path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1]
	kind := r.IntN(9)
	if strings.HasSuffix(name, ".zst") && kind > 2 && kind < 7 {
		kind = 0
	}
	switch kind {
	case 0:
		at := r.IntN(len(text))
		text[at] ^= byte(1 + r.IntN(255))
		put(text)
		return fmt.Sprintf("byte %d of %s changed", at, name)
	case 1:
		n := r.IntN(len(text))
		put(text[:n])
		return fmt.Sprintf("%s cut to %d of %d bytes", name, n, len(text))
	case 2:
		at := r.IntN(len(text) + 1)
		put(append(append(bytes.Clone(text[:at]), byte(r.IntN(256))), text[at:]...))
		return fmt.Sprintf("a byte put into %s at %d", name, at)
	case 3:
		i := r.IntN(len(lines))
		put(bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil))
		return fmt.Sprintf("line %d of %s deleted", i, name)
	case 4:
		i, j := r.IntN(len(lines)), r.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
		put(bytes.Join(lines, nil))
		return fmt.Sprintf("lines %d and %d of %s changed places", i, j, name)
	case 5:
		i := r.IntN(len(lines))
		put(bytes.Join(append(append([][]byte{}, lines...), lines[i]), nil))
		return fmt.Sprintf("line %d of %s added again", i, name)
	case 6:
		// Whoever knows the format makes the hash fit too.
		i := 1 + r.IntN(len(lines)-1)
		hash, entry, err := parseLine(bytes.TrimSuffix(lines[i], []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		var prev string
		if i > 1 {
			prev, _, _ = parseLine(bytes.TrimSuffix(lines[i-1], []byte("\n")))
		} else {
			var p partition
			p.path = path
			if err := p.readHeader(); err != nil {
				t.Fatal(err)
			}
			prev = p.header.Prev
		}
		forged := bytes.Replace(entry, []byte("user:"), []byte("root:"), 1)
		lines[i] = []byte(lineStart + hashOf(prev, forged) + lineMid + string(forged) + lineEnd + "\n")
		put(bytes.Join(lines, nil))
		return fmt.Sprintf("line %d of %s (%s) forged with a hash that fits", i, name, hash[:6])
	case 7:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return name + " deleted"
	default:
		other := files[r.IntN(len(files))]
		b, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		put(b)
		if err := os.WriteFile(other, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name + " and " + filepath.Base(other) + " changed places"
	}
}

// TestAnySingleChangeIsFound: whatever one thing is done to the files between two starts is named, by the start or by
// verifying, and the log goes on and can be searched.
func TestAnySingleChangeIsFound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	base := &clock{epoch}
	dir := written(t, base)
	was := content(t, dir)
	for range 80 {
		copied := filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		what := tamper(t, copied, r)
		same := content(t, copied) == was
		c := &clock{base.at}
		l := open(t, copied, c, nil)
		v := verified(t, l)
		named := !v.Intact
		for _, p := range l.Problems() {
			named = named || strings.Contains(p.Message, "Found in the audit log")
		}
		if same && !named {
			continue // a byte of packing that says nothing, or one file changed places with itself
		}
		if !named {
			t.Errorf("%s is not found: %+v", what, v)
		}
		e := add(t, l, model.AuditEntry{Actor: "ann", Action: "after"})
		got, err := l.AuditEntries(t.Context(), store.AuditQuery{Action: "after"})
		if err != nil || len(got) != 1 || got[0].ID != e.ID {
			t.Errorf("%s: what came after is not found: %+v %v", what, got, err)
		}
		if again := verified(t, l); v.Intact != again.Intact {
			t.Errorf("%s: %+v, then %+v", what, v, again)
		}
		_ = l.Close()
	}
}

// TestChangesWhileItRunsAreFound does the same to the files of a log that is open.
func TestChangesWhileItRunsAreFound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	base := &clock{epoch}
	dir := written(t, base)
	was := content(t, dir)
	for range 40 {
		copied := filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		l := open(t, copied, &clock{base.at}, nil)
		what := tamper(t, copied, r)
		if v := verified(t, l); v.Intact && content(t, copied) != was {
			t.Errorf("%s is not found: %+v", what, v)
		}
		_ = l.Close()
	}
}

// TestATornEndIsCutAndNamed: what a crash leaves behind the last entry that was synced.
func TestATornEndIsCutAndNamed(t *testing.T) {
	for name, rest := range map[string]string{
		"half a line":       `{"hash":"aaaa`,
		"zeros":             strings.Repeat("\x00", 4096),
		"a line of another": lineStart + strings.Repeat("a", hashLen) + lineMid + `{"id":19}` + lineEnd + "\n",
		"no line":           "hello\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{epoch}
			dir := written(t, c)
			files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
			path := files[len(files)-1]
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(rest); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			l := open(t, dir, c, nil)
			ps := l.Problems()
			if len(ps) != 1 || !strings.Contains(ps[0].Message, strconv.Itoa(len(rest))+" bytes behind entry 18") {
				t.Fatalf("%+v", ps)
			}
			if v := verified(t, l); !v.Intact || v.Entries != 19 { // the last says what was found
				t.Errorf("%+v", v)
			}
			torn, _ := filepath.Glob(path + ".torn-*")
			if got, err := os.ReadFile(torn[0]); err != nil || string(got) != rest {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

// TestKill writes in a process of its own, which is killed in the middle of it, again and again.
func TestKill(t *testing.T) {
	dir := os.Getenv("AUDITLOG_KILLED")
	if dir != "" {
		l, err := Open(t.Context(), Config{Dir: dir, Retention: DefaultConfig().Retention, Queue: 100}, Deps{})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = l.Run(context.Background()) }()
		for i := 0; ; i++ {
			l.Note(model.AuditEntry{Actor: "killed", Action: "query.promql", Details: map[string]string{"n": strconv.Itoa(i)}})
			if i%50 == 0 {
				e := add(t, l, model.AuditEntry{Actor: "killed", Action: "gate.override"})
				fmt.Println("synced", e.ID)
			}
		}
	}
	dir = t.TempDir()
	var synced int64
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$", "-test.v")
		cmd.Env = append(os.Environ(), "AUDITLOG_KILLED="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		buf, text := make([]byte, 4096), ""
		for strings.Count(text, "synced") < 20+7*round {
			n, err := out.Read(buf)
			if text += string(buf[:n]); err != nil {
				t.Fatal(text, err)
			}
		}
		_ = cmd.Process.Kill()
		rest, _ := io.ReadAll(out)
		_ = cmd.Wait()
		for line := range strings.SplitSeq(text+string(rest), "\n") {
			if n, ok := strings.CutPrefix(line, "synced "); ok {
				if id, err := strconv.ParseInt(n, 10, 64); err == nil {
					synced = max(synced, id)
				}
			}
		}
		l := open(t, dir, &clock{time.Now()}, nil)
		v := verified(t, l)
		if !v.Intact || v.Last < synced {
			t.Fatalf("round %d: %d was answered; %+v", round, synced, v)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	c := &clock{epoch}
	dir := written(f, c)
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for i, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), text)
		f.Add(uint8(i), text[:len(text)/2])
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		copied := filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(files[int(which)%len(files)])), text, 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, copied, &clock{c.at}, nil)
		v := verified(t, l)
		e := add(t, l, model.AuditEntry{Actor: "ann", Action: "after"})
		got, err := l.AuditEntries(t.Context(), store.AuditQuery{Action: "after", Limit: 1})
		if err != nil || len(got) != 1 || got[0].ID != e.ID {
			t.Fatalf("%+v %v", got, err)
		}
		if again := verified(t, l); again.Intact != v.Intact {
			t.Fatalf("%+v, then %+v", v, again)
		}
		_ = l.Close()
	})
}

func BenchmarkNote(b *testing.B) {
	l := open(b, b.TempDir(), &clock{time.Now()}, nil)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	e := model.AuditEntry{
		Actor: "user:ann", Action: "query.promql", Tenant: "default", Subject: "/api/v1/query_range",
		Details: map[string]string{
			"query": `sum by (service) (rate(http_server_request_duration_seconds_count{env="prod"}[5m]))`, "rows": "12", "cost": "48000 samples",
			"status": "200", "duration_ms": "12.4", "remote": "10.1.2.3",
		},
	}
	for b.Loop() {
		l.Note(e)
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(l.notes.ever), "lost")
}

// A folder in the place of any file costs that file: the log goes on, and says so.
func TestAFolderInAFilesPlaceIsSetAside(t *testing.T) {
	names, err := os.ReadDir(written(t, &clock{epoch}))
	if err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	for _, n := range names {
		c := &clock{epoch}
		dir := written(t, c)
		path := filepath.Join(dir, n.Name())
		if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o750)); err != nil {
			t.Fatal(err)
		}
		l := open(t, dir, c, nil)
		if found := fmt.Sprint(l.notes.found); !strings.Contains(found, n.Name()+" was not a file and is kept as") {
			t.Errorf("%s: found %s", n.Name(), found)
		}
		e, err := l.Audit(t.Context(), model.AuditEntry{Actor: "kim", Action: "x"})
		if got, listErr := l.AuditEntries(t.Context(), store.AuditQuery{Limit: 1}); err != nil || listErr != nil || len(got) != 1 || got[0].ID != e.ID {
			t.Errorf("%s: %+v %v %v", n.Name(), got, err, listErr)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
