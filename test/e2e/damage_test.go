package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
)

// kept is how much of each thing a server answers.
type kept map[string]int

// damageStore fills a storage with numbered things of every kind, so that all kinds of file are there, and
// leaves it as a kill does.
func damageStore(t *testing.T) (dir, config string, want kept) {
	t.Helper()
	o := crashServer(t)
	config = strings.Replace(o.config, "late_log_bytes: 65536", "late_log_bytes: 1073741824", 1)
	s := start(t, options{dir: o.dir, config: config, ready: startLimit})
	now := time.Now()
	for hour := 40; hour > 0; hour-- { // late ones and one in order
		at := now.Add(-time.Duration(hour-1) * time.Hour / 2)
		var all []prompb.Sample
		for i := range 50 {
			all = append(all, sample(at.Add(time.Duration(i)*time.Second-time.Minute), float64(hour*100+i)))
		}
		status, text, _ := s.request(http.MethodPost, "/api/v1/write", protobuf, remoteWrite(t, series{labels: []string{"__name__", "damage"}, samples: all}))
		if status/100 != 2 {
			t.Fatalf("%d %s", status, text)
		}
		for path, body := range map[string][]byte{
			"/v1/logs":   otlpLogs(t, "damage", at, fmt.Sprintf("number %d", hour)),
			"/v1/traces": otlpSpans(t, "damage", spanSpec{trace: traceID(hour), id: spanID(hour), name: fmt.Sprintf("n%d", hour), start: at, duration: time.Second}),
		} {
			if status, text, _ := s.request(http.MethodPost, path, protobuf, body); status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, status, text)
			}
		}
	}
	for i := range 5 {
		var ignored map[string]any
		s.post("/sb/v1/deploys", map[string]any{"service": "damage", "environment": "prod", "version": fmt.Sprint(i)}, &ignored)
		s.post("/sb/v1/gate", map[string]any{"service": "damage", "environment": "prod", "version": fmt.Sprint(i)}, &ignored)
		s.post("/api/v2/silences", map[string]any{
			"matchers": []any{map[string]any{"name": "x", "value": fmt.Sprint(i), "isRegex": false}}, "startsAt": now.UTC(),
			"endsAt": now.Add(time.Hour).UTC(), "createdBy": "damage", "comment": "c",
		}, &ignored)
	}
	want = keptBy(t, s)
	eventually(t, func() error {
		if found, _ := filepath.Glob(filepath.Join(o.dir, "events", "logs", "*", "*.parquet")); len(found) == 0 {
			return fmt.Errorf("nothing is sealed yet")
		}
		return nil
	})
	s.kill()
	return o.dir, config, want
}

func keptBy(t *testing.T, s *server) kept {
	t.Helper()
	samples, _ := s.value("sum(count_over_time(damage[2d]))")
	count := func(query string) int {
		var answer struct {
			Rows [][]any `json:"rows"`
		}
		s.post("/sb/v1/sql", map[string]any{"query": query}, &answer)
		return int(answer.Rows[0][0].(float64))
	}
	var decisions struct{ Decisions []any }
	s.get("/sb/v1/gate/decisions", url.Values{"limit": {"100"}}, &decisions)
	var silences []any
	s.get("/api/v2/silences", nil, &silences)
	return kept{
		"samples": int(samples), "decisions": len(decisions.Decisions), "silences": len(silences),
		"logs":    count("SELECT count(DISTINCT message) FROM logs WHERE service = 'damage'"),
		"spans":   count("SELECT count(DISTINCT name) FROM spans WHERE service = 'damage'"),
		"deploys": count("SELECT count(*) FROM deploys WHERE service = 'damage'"),
	}
}

func problemsOf(s *server) string {
	var status struct {
		Problems []struct{ Message string }
	}
	s.get("/sb/v1/status", nil, &status)
	var all []string
	for _, p := range status.Problems {
		all = append(all, p.Message)
	}
	return strings.Join(all, "\n")
}

// damages are what disks, copies and people do to a file.
func damages() map[string]func(path string) error {
	with := func(change func([]byte) []byte) func(string) error {
		return func(path string) error {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(text), 0o600)
		}
	}
	instead := func(make func(path string) error) func(string) error {
		return func(path string) error {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return make(path)
		}
	}
	return map[string]func(path string) error{
		"a changed bit": with(func(b []byte) []byte { b[len(b)/2] ^= 0x10; return b }),
		"half of it":    with(func(b []byte) []byte { return b[:len(b)/2] }),
		"empty":         with(func([]byte) []byte { return nil }),
		"a zeroed tail": with(func(b []byte) []byte { clear(b[max(0, len(b)-4096):]); return b }),
		"more behind":   with(func(b []byte) []byte { return append(b, "left of another file"...) }),
		"gone":          os.RemoveAll,
		"a folder":      instead(func(path string) error { return os.Mkdir(path, 0o750) }),
		"a pipe":        instead(func(path string) error { return syscall.Mkfifo(path, 0o600) }),
		"a device":      instead(func(path string) error { return os.Symlink("/dev/zero", path) }),
		"a circle":      instead(func(path string) error { return os.Symlink(filepath.Base(path), path) }),
	}
}

// TestDamageIsNamedOrRepairedAndNeverStopsTheStart damages one file at a time, each kind of file with some of the
// damages, in turn. What is not there afterwards is named on the status page.
func TestDamageIsNamedOrRepairedAndNeverStopsTheStart(t *testing.T) {
	dir, config, want := damageStore(t)
	kinds := []string{
		"gate/ed25519.key", "state/state.db", "state/state.db-wal", "state/copy/*.db", "state/copy/*.redo", "alerting/silences",
		"alerting/alerts.json", "events/ACKED", "events/wal/logs-*", "events/wal/spans-*", "events/logs/*/*.parquet", "events/spans/*/*.idx",
		"metrics/ACKED", "metrics/wal/0*", "metrics/wbl/0*", "metrics/chunks_head/0*", "metrics/0*/index", "metrics/0*/meta.json", "metrics/0*/tombstones",
		"metrics/0*/chunks/0*",
	}
	all := damages()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	turn := 0
	for _, kind := range kinds {
		found, _ := filepath.Glob(filepath.Join(dir, kind))
		// A block that the kill left half made is thrown away at the start, whatever is in it.
		found = slices.DeleteFunc(found, func(path string) bool { return strings.Contains(path, ".tmp") })
		if len(found) == 0 {
			t.Logf("no %s was made", kind)
			continue
		}
		for range 2 {
			name := names[turn%len(names)]
			turn += 3 // every damage comes to every few kinds
			t.Run(kind+" "+name, func(t *testing.T) {
				hurt := t.TempDir()
				if err := os.CopyFS(hurt, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				victim, err := filepath.Rel(dir, found[len(found)-1])
				if err != nil {
					t.Fatal(err)
				}
				if err := all[name](filepath.Join(hurt, victim)); err != nil {
					t.Fatal(err)
				}
				s := start(t, options{dir: hurt, config: config, ready: startLimit})
				got, problems := keptBy(t, s), problemsOf(s)
				for what, n := range want {
					if got[what] < n && problems == "" {
						t.Errorf("%d of %d %s are left, and nobody says so", got[what], n, what)
					}
				}
				s.kill()
			})
		}
	}
}

// TestADiskThatIsFullAtTheStart starts without a byte to write: it answers, pages, says what is wrong, loses nothing, and
// needs no restart once there is room.
func TestADiskThatIsFullAtTheStart(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounts a small file system: needs root, as CI has")
	}
	if raceDetector {
		t.Skip("on a full disk compactions rest, which the TSDB's loop reads without a lock; scripts/test-go.sh runs this test without the race detector")
	}
	dir, config, want := damageStore(t)
	hook := startWebhook(t)
	routes := filepath.Join(t.TempDir(), "am.yml")
	writeFile(t, routes, fmt.Sprintf("route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: %q}]}]\n", hook.URL))
	lines := strings.Split(config, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "alertmanager_file:") {
			lines[i] = fmt.Sprintf("alertmanager_file: %q", routes)
		}
	}
	mount := quotaFolder(t)
	data := filepath.Join(mount.dir, "data")
	if err := os.CopyFS(data, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(data, "metrics", "SPARE")); err != nil { // nothing helps
		t.Fatal(err)
	}
	mount.fill(t)
	s := start(t, options{dir: data, config: strings.Join(lines, "\n"), ready: startLimit})
	if got := keptBy(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("with a full disk there is %v, want %v", got, want)
	}
	if problems := problemsOf(s); !strings.Contains(problems, "read-only") {
		t.Errorf("the status page says %q", problems)
	}
	alert := []byte(`[{"labels": {"alertname": "WhileFull", "severity": "critical"}}]`)
	if status, text, _ := s.request(http.MethodPost, "/api/v2/alerts", "application/json", alert); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	eventually(t, func() error {
		if len(hook.of("WhileFull", "firing")) == 0 {
			return fmt.Errorf("nobody was paged")
		}
		return nil
	})
	mount.free(t)
	eventually(t, func() error {
		status, text, _ := s.request(http.MethodPost, "/api/v1/write", protobuf, remoteWrite(t, series{labels: []string{"__name__", "after"}, samples: []prompb.Sample{sample(time.Now(), 1)}}))
		if status/100 != 2 {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
	eventually(t, func() error {
		status, text, _ := s.request(http.MethodPost, "/sb/v1/deploys", "application/json", []byte(`{"service":"damage","environment":"prod","version":"after"}`))
		if status/100 != 2 {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
	s.kill()
	s = start(t, options{dir: data, config: config, ready: startLimit})
	want["deploys"]++
	if got := keptBy(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after a kill there is %v, want %v", got, want)
	}
}
