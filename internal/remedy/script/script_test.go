package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/remedy/action"
)

func program(t *testing.T, text string) []Allowed {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return []Allowed{{Name: "it", Path: path}}
}

func TestAProgramGetsItsArgumentsAsTheyStandAndNoEnvironmentOfOurs(t *testing.T) {
	t.Setenv("SIGNALBOX_SECRET", "s3cret")
	s := New(Config{Name: "it", Args: []string{"a b", "$(id)", "; rm -rf /", "*"}}, program(t, `printf '%s|' "$@"; env`))
	o := action.Order{ID: "r1", Remedy: "rotate", Service: "edge"}
	p, err := s.Plan(t.Context(), o)
	if err != nil || !strings.Contains(p.Calls[0], `"a b"`) || p.Undo != "" {
		t.Fatal(p, err)
	}
	said, err := s.Do(t.Context(), o, p)
	if err != nil || !strings.Contains(said, "a b|$(id)|; rm -rf /|*|") || !strings.Contains(said, "SIGNALBOX_RUN=r1") || strings.Contains(said, "SIGNALBOX_SECRET") {
		t.Error(said, err)
	}
}

func TestAProgramEndsWithAllThatItStartedAtItsTimeLimit(t *testing.T) {
	s := New(Config{Name: "it", Timeout: prom.Duration(200 * time.Millisecond)}, program(t, "echo begun; sleep 600 & sleep 600"))
	began := time.Now()
	_, err := s.Do(t.Context(), action.Order{}, action.Plan{})
	if err == nil || !strings.Contains(err.Error(), "was ended") || time.Since(began) > time.Minute {
		t.Error(err, time.Since(began))
	}
}

func TestOutputIsBounded(t *testing.T) {
	said, err := New(Config{Name: "it"}, program(t, "head -c 1000000 /dev/zero | tr '\\0' x")).Do(t.Context(), action.Order{}, action.Plan{})
	if err != nil || len(said) > maxOutput+200 || !strings.Contains(said, "(cut)") {
		t.Error(len(said), err)
	}
}

func TestOnlyAllowedProgramsRun(t *testing.T) {
	allowed := program(t, "true")
	if _, err := New(Config{Name: "other"}, allowed).Plan(t.Context(), action.Order{}); !errors.Is(err, action.ErrDecline) {
		t.Error("a program that nobody allowed:", err)
	}
	if err := os.Chmod(allowed[0].Path, 0o722); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Name: "it"}, allowed).Do(t.Context(), action.Order{}, action.Plan{}); !errors.Is(err, action.ErrDecline) {
		t.Error("a program that everybody may change:", err)
	}
	if _, err := New(Config{Name: "it"}, program(t, "echo no; exit 3")).Do(t.Context(), action.Order{}, action.Plan{}); err == nil || !strings.Contains(err.Error(), "no") {
		t.Error("a program that failed:", err)
	}
}
