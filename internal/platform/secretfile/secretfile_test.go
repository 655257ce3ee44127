package secretfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretShowsItselfNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(" hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read(file)
	if err != nil || s.Text() != "hunter2" || string(s.Bytes()) != "hunter2" {
		t.Fatalf("got %q, %v", s.Text(), err)
	}
	if !s.Equal("hunter2") || s.Equal("hunter") || s.Equal("") || (Secret{}).Equal("") {
		t.Error("comparison")
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "secret", s, "in", struct{ S Secret }{s})
	fmt.Fprintf(&b, "%v %s %q %x %#v %d %+v", s, s, s, s, s, s, struct{ S Secret }{s})
	if err := json.NewEncoder(&b).Encode(map[string]any{"s": s}); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); strings.Contains(out, "hunter") || strings.Contains(out, "68756e") || strings.Contains(out, "104 117") {
		t.Error(out)
	}
}

func TestAFileWithoutASecretIsAnError(t *testing.T) {
	dir := t.TempDir()
	empty, large := filepath.Join(dir, "empty"), filepath.Join(dir, "large")
	_ = os.WriteFile(empty, []byte("\n \n"), 0o600)
	_ = os.WriteFile(large, make([]byte, maxBytes+1), 0o600)
	for _, file := range []string{empty, large, filepath.Join(dir, "missing"), dir} {
		if _, err := Read(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
