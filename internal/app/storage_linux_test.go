package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/seal/atrest"
)

// What the whole process writes goes into folders that a move into an encrypted folder knows.
func TestAMoveKnowsEveryFolder(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: pay}]\n"}, func(o *Options) { o.Auth = true })
	r.stop()
	entries, err := os.ReadDir(filepath.Join(r.dir, "data"))
	if err != nil || len(entries) < 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if !slices.Contains(atrest.Folders(), e.Name()) {
			t.Errorf("atrest.Folders does not know %s", e.Name())
		}
	}
}

// With storage.encrypt samples, log records, deployments and audit entries are on the disk in no form that can be read, and are there again
// at the next start.
func TestTheWholeStorageIsEncrypted(t *testing.T) {
	if _, err := os.Stat("/sys/fs/ext4/features/encryption"); err != nil {
		t.Skipf("NOT TESTED: this kernel's ext4 does not encrypt: %v", err)
	}
	image, mounted := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 512<<20); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-O", "encrypt", image}, {"mount", "-o", "loop", image, mounted}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: needs root and loop devices: %v %s", err, out)
		}
	}
	t.Cleanup(func() { _ = syscall.Unmount(mounted, syscall.MNT_DETACH) })
	dir := t.TempDir()
	texts := map[string]string{
		"signalbox.yml": "storage: {encrypt: true}\nseal: {keys: [{file: seal.key}]}\nexternal_labels: {region: eu-1}\n", "seal.key": strings.Repeat("QUJD", 12),
	}
	on := func(o *Options) { o.StoragePath = filepath.Join(mounted, "data") }
	const word = "nobodysbusiness"
	r := startIn(t, dir, texts, on)
	now := time.Now().UnixNano()
	for path, body := range map[string]string{
		"/v1/logs":       fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"%s log"}}]}]}]}`, now, word),
		"/v1/metrics":    fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"%s_metric","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":7}]}}]}]}]}`, word, now),
		"/sb/v1/deploys": fmt.Sprintf(`{"service":"%s-service","environment":"prod","version":"1"}`, word),
	} {
		if status, text := r.do(t, http.MethodPost, path, "application/json", body); status/100 != 2 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	r.stop()
	if err := syscall.Unmount(mounted, 0); err != nil {
		t.Fatalf("something is open after the stop: %v", err)
	}
	if found := around(t, image, word); found != "" {
		t.Errorf("on the disk stands %q", found)
	}
	if around(t, image, "encryption.key") == "" {
		t.Error("a name that is plain was not found: the search is worth nothing")
	}
	if out, err := exec.Command("mount", "-o", "loop", image, mounted).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	r = startIn(t, dir, texts, on)
	for path, shows := range map[string]string{
		"/sb/v1/logs?q=" + word: word + " log", "/api/v1/query?query=" + word + "_metric": `"7"`, "/sb/v1/deploys": word + "-service",
		"/sb/v1/status": `"at_rest":[{"part":"samples","encrypted_by":["storage.encrypt"],"partly":false},{"part":"events","encrypted_by":["storage.encrypt"],`,
	} {
		if status, text := r.do(t, http.MethodGet, path, "", ""); status != http.StatusOK || !strings.Contains(text, shows) {
			t.Errorf("%s after a restart: %d %s", path, status, text)
		}
	}
}

// around is what stands around a word in a file, of which it holds little in memory.
func around(t *testing.T, file, word string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const step = 1 << 20
	window := make([]byte, step+len(word)) // a word may lie across two steps
	for at := int64(0); ; at += step {
		n, err := f.ReadAt(window, at)
		if i := bytes.Index(window[:n], []byte(word)); i >= 0 {
			return string(window[max(0, i-100):min(n, i+100)])
		}
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
