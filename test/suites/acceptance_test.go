package suites

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alertmanager starts Signalbox as Alertmanager is started. Its own rules wait, because
// the suite counts alerts.
const alertmanager = `#!/usr/bin/env bash
while [ $# -gt 0 ]; do
  case $1 in *=*) key=${1%%=*} value=${1#*=}; shift;; *) key=$1 value=$2; shift 2;; esac
  case $key in
    --config.file) file=$value;;
    --storage.path) data=$value;;
    --web.route-prefix) prefix=$value;;
    --dispatch.start-delay) delay=$value;;
  esac
done
printf 'alertmanager_file: "%s"\nrouting: {start_delay: %s}\nself_query: {interval: 1h}\nglobal: {evaluation_interval: 1d}\nrules: {early_evaluation: false}\n' \
  "$file" "${delay:-0s}" > "$data/signalbox.yml"
exec "$SIGNALBOX_BINARY" serve --config.file "$data/signalbox.yml" --storage.path "$data/signalbox" --web.listen-address 127.0.0.1:0 \
  --web.external-url "http://localhost$prefix" --otlp.grpc-address "" --otlp.http-address "" \
  2> >(sed -u 's#msg="web is listening".* url=http://\([^ ]*\)#msg="Listening on" address=\1#' >&2)
`

// absent is what Signalbox does not have, by the tests that need it.
var absent = map[string]string{
	"TestClusterDeduplication":               "one process, no cluster of Alertmanagers",
	"TestClusterVSInstance":                  "one process, no cluster of Alertmanagers",
	"TestCannotAddUTF8AlertsInClassicMode":   "no mode that refuses names which Alertmanager takes by default",
	"TestCannotAddUTF8SilencesInClassicMode": "no mode that refuses names which Alertmanager takes by default",
}

// Alertmanager's acceptance tests of its API and of amtool, which start the program that they find in their own folder:
// once Alertmanager itself, once us. What Alertmanager passes must pass here.
func TestAlertmanagerAcceptance(t *testing.T) {
	if testing.Short() {
		t.Skip("builds Alertmanager and waits for its notifications: make prove")
	}
	dir := copyOfAlertmanager(t)
	programs := map[string]string{"amtool": reference(t, "amtool")}
	for name, from := range programs {
		if err := os.Symlink(from, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, suite := range []string{"with_api_v2", "cli"} {
		t.Run(suite, func(t *testing.T) {
			theirs, printed := accept(t, dir, suite, func(path string) {
				inDir(t, dir, "go", "build", "-trimpath", "-ldflags", stamp(t), "-o", path, "./cmd/alertmanager")
			})
			for name, ok := range theirs {
				if !ok {
					t.Logf("the reference fails %s\n%s", name, printed)
				}
			}
			ours, printed := accept(t, dir, suite, func(path string) {
				if err := os.WriteFile(path, []byte(alertmanager), 0o700); err != nil {
					t.Fatal(err)
				}
			})
			judge(t, ours, theirs, printed)
		})
	}
}

// missing are the tests that only they pass.
func missing(ours, theirs map[string]bool) (names []string) {
	for name, passed := range theirs {
		if passed && !ours[name] && absent[name] == "" {
			names = append(names, name)
		}
	}
	return names
}

// copyOfAlertmanager is its module in a folder that can be written. The harness waits for a cluster of
// one, which Alertmanager says it is even alone; we say, as Alertmanager does when told, that there is none.
func copyOfAlertmanager(t *testing.T) string {
	t.Helper()
	from := strings.TrimSpace(inDir(t, "reference", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/alertmanager"))
	dir := filepath.Join(t.TempDir(), "alertmanager")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	harness := filepath.Join(dir, "test", "testutils", "acceptance.go")
	raw, err := os.ReadFile(harness)
	if err != nil {
		t.Fatal(err)
	}
	const peers = "if len(status.Payload.Cluster.Peers) == "
	text := strings.Replace(string(raw), peers+"0 {", "if *status.Payload.Cluster.Status == \"disabled\" {\nreturn nil\n}\n"+peers+"0 {", 1)
	text = strings.Replace(text, peers+"size {", "if *status.Payload.Cluster.Status == \"disabled\" && size == 1 {\nreturn nil\n}\n"+peers+"size {", 1)
	if strings.Count(text, "disabled") != 2 {
		t.Fatal("the harness has changed: look at it anew")
	}
	for name, text := range map[string]string{harness: text, filepath.Join(dir, "ui", "app", "dist", "index.html"): ""} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(name) // it is read-only
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var verdict = regexp.MustCompile(`(?m)^--- (PASS|FAIL): (\S+)`)

// accept runs a suite on the program that install puts in its place. Its tests are timed: those that fail run once more,
// with less beside them.
func accept(t *testing.T, dir, suite string, install func(path string)) (passed map[string]bool, printed string) {
	t.Helper()
	path := filepath.Join(dir, "alertmanager")
	_ = os.Remove(path)
	install(path)
	run := func(only string) (map[string]bool, string) {
		cmd := exec.Command("go", "test", "-trimpath", "-count=1", "-v", "-run", only, "./test/"+suite+"/acceptance")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "SIGNALBOX_BINARY="+binary(t))
		return verdicts(t, cmd)
	}
	passed, printed = run("")
	var failed []string
	for name, ok := range passed {
		if !ok {
			failed = append(failed, name)
		}
	}
	if len(failed) > 0 {
		again, text := run("^(" + strings.Join(failed, "|") + ")$")
		maps.Copy(passed, again)
		printed = text
	}
	return passed, printed
}

// verdicts runs go test -v and answers which tests passed, and with what it printed.
func verdicts(t *testing.T, cmd *exec.Cmd) (passed map[string]bool, printed string) {
	t.Helper()
	out, _ := cmd.CombinedOutput() // that it failed stands in what it printed
	passed = map[string]bool{}
	for _, m := range verdict.FindAllSubmatch(out, -1) {
		passed[string(m[2])] = string(m[1]) == "PASS"
	}
	if len(passed) == 0 {
		t.Fatalf("no verdict in: %s", out)
	}
	return passed, string(out)
}

func inDir(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}
