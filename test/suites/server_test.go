package suites

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a program over an empty folder.
type server struct {
	web, otlp string // otlp is Signalbox's own port for OTLP/HTTP
	stop      func()
}

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SIGNALBOX_BINARY")
	if path == "" {
		path = "../../bin/signalbox"
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abs); err != nil {
		t.Fatalf("the program that is to be tested: %v; build it (make build) or name it in SIGNALBOX_BINARY", err)
	}
	return abs
}

// start runs the binary on free ports until stop.
func start(t *testing.T, config string) *server {
	t.Helper()
	return launch(t, config, func(file, data string) *exec.Cmd {
		return exec.Command(binary(t), "serve", "--config.file", file, "--storage.path", data,
			"--web.listen-address", "127.0.0.1:0", "--otlp.grpc-address", "", "--otlp.http-address", "127.0.0.1:0")
	}, regexp.MustCompile(`msg="web is listening".* url=(\S+)`), "msg=ready ")
}

// startPrometheus runs the reference likewise, with the features of its --enable-feature.
func startPrometheus(t *testing.T, config string, features []string) *server {
	t.Helper()
	program := reference(t, "prometheus")
	return launch(t, config, func(file, data string) *exec.Cmd {
		return exec.Command(program, "--config.file", file, "--storage.tsdb.path", data, "--web.listen-address", "127.0.0.1:0",
			"--web.enable-remote-write-receiver", "--enable-feature", strings.Join(features, ","))
	}, regexp.MustCompile(`msg="Listening on".* address=(\S+)`), "ready to receive web requests")
}

// launch starts a program and waits until it is ready; what it logged is shown if it never is.
func launch(t *testing.T, config string, command func(file, data string) *exec.Cmd, listening *regexp.Regexp, ready string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "suite-*") // not the test's: there are hundreds of starts in one
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(file, filepath.Join(dir, "data"))
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	urls := make(chan [2]string, 1)
	var mu sync.Mutex
	var log bytes.Buffer
	go func() {
		var url, otlp string
		isReady := false // before or after the address
		for lines := bufio.NewScanner(out); lines.Scan(); {
			mu.Lock()
			log.WriteString(lines.Text() + "\n")
			mu.Unlock()
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				url = "http://" + strings.TrimPrefix(m[1], "http://")
			}
			if m := otlpListening.FindStringSubmatch(lines.Text()); m != nil {
				otlp = m[1]
			}
			isReady = isReady || strings.Contains(lines.Text(), ready)
			if url != "" && isReady {
				select {
				case urls <- [2]string{url, otlp}:
				default: // told already
				}
			}
		}
	}()
	s := &server{stop: func() {
		_ = cmd.Process.Signal(syscall.SIGKILL) // nothing of it is needed any more
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}}
	select {
	case found := <-urls:
		s.web, s.otlp = found[0], found[1]
	case <-time.After(2 * time.Minute):
		s.stop()
		mu.Lock()
		defer mu.Unlock()
		t.Fatalf("the program was not ready in 2 min:\n%s", log.String())
	}
	return s
}

var otlpListening = regexp.MustCompile(`msg="otlp is listening".* http=(\S+)`)
