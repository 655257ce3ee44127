package suites

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// server is the binary over an empty folder.
type server struct {
	web  string
	stop func()
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
	dir, err := os.MkdirTemp("", "suite-*") // not the test's: there are hundreds of starts in one
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "signalbox.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "serve", "--config.file", file, "--storage.path", filepath.Join(dir, "data"),
		"--web.listen-address", "127.0.0.1:0", "--otlp.grpc-address", "", "--otlp.http-address", "")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		url := ""
		lines := bufio.NewScanner(io.TeeReader(out, io.Discard))
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				url = m[1]
			}
			if url != "" && isReady.MatchString(lines.Text()) {
				ready <- url
			}
		}
	}()
	s := &server{stop: func() {
		_ = cmd.Process.Signal(syscall.SIGKILL) // nothing of it is needed any more
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}}
	select {
	case s.web = <-ready:
	case <-time.After(2 * time.Minute):
		s.stop()
		t.Fatal("the program was not ready in 2 min")
	}
	return s
}

var (
	listening = regexp.MustCompile(`msg="web is listening".* url=(\S+)`)
	isReady   = regexp.MustCompile(`msg=ready `)
)
