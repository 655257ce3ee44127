// Package script runs programs of this machine that the configuration allows.
//
// In: the name of a program and its arguments. Out: the beginning of what it printed. Invariants: there is no shell, and every
// argument arrives as it stands; a program gets PATH, LANG and what says for whom it runs, and none of Signalbox' own
// environment; it and what it started end at its time limit; of its output a bound is kept. Start reading at Script.
package script

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
)

// Allowed is a program that remedies may run.
type Allowed struct {
	// Name is what remedies call it.
	Name string `yaml:"name"`
	// Path is where it is, from the root.
	Path string `yaml:"path"`
}

var nameRE = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate lists what is wrong; each message begins with the field's path.
func (a Allowed) Validate() (errs []error) {
	if !nameRE.MatchString(a.Name) {
		errs = append(errs, fmt.Errorf("name: must be small letters, digits and '-', got %q", a.Name))
	}
	if !filepath.IsAbs(a.Path) {
		errs = append(errs, fmt.Errorf("path: must begin at the root, got %q", a.Path))
	}
	return errs
}

// Config is one program and how it is called.
type Config struct {
	// Name is one of remedy.scripts.
	Name string `yaml:"name" json:"name"`
	// Args are its arguments.
	Args []string `yaml:"args" json:"args,omitempty"`
	// Undo are the arguments that take it back; nothing does, without any.
	Undo []string `yaml:"undo" json:"undo,omitempty"`
	// Timeout ends it.
	Timeout prom.Duration `yaml:"timeout" json:"timeout,omitempty"`
}

const (
	defaultTimeout, longest = time.Minute, 10 * time.Minute
	maxOutput               = 4 << 10
	maxArgs                 = 64
)

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() (errs []error) {
	if c.Name == "" {
		errs = append(errs, errors.New("name: must not be empty; it is one of remedy.scripts in signalbox.yml"))
	}
	if c.Timeout < 0 || c.Timeout > prom.Duration(longest) {
		errs = append(errs, fmt.Errorf("timeout: must be at most 10m, got %s", c.Timeout))
	}
	if len(c.Args) > maxArgs || len(c.Undo) > maxArgs {
		errs = append(errs, fmt.Errorf("args: must be at most %d", maxArgs))
	}
	return errs
}

// Script is one program with its arguments.
type Script struct {
	cfg     Config
	allowed []Allowed
}

// New makes the executor.
func New(cfg Config, allowed []Allowed) *Script { return &Script{cfg, allowed} }

type data struct{ Path string }

// Plan implements action.Executor.
func (s *Script) Plan(_ context.Context, _ action.Order) (action.Plan, error) {
	path, err := s.find()
	if err != nil {
		return action.Plan{}, err
	}
	kept, err := json.Marshal(data{path})
	p := action.Plan{Text: "run " + shown(s.cfg.Name, s.cfg.Args), Calls: []string{shown(path, s.cfg.Args)}, Data: kept}
	if len(s.cfg.Undo) > 0 {
		p.Undo = "run " + shown(s.cfg.Name, s.cfg.Undo)
	}
	return p, err
}

// find is the program's path. A program that others than its owner may change would be theirs, run as us.
func (s *Script) find() (string, error) {
	i := slices.IndexFunc(s.allowed, func(a Allowed) bool { return a.Name == s.cfg.Name })
	if i < 0 {
		return "", fmt.Errorf("script %q is not allowed: remedy.scripts in signalbox.yml does not name it: %w", s.cfg.Name, action.ErrDecline)
	}
	path := s.allowed[i].Path
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("script %s: %w", s.cfg.Name, err)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return "", fmt.Errorf("script %s: %s is no program: %w", s.cfg.Name, path, action.ErrDecline)
	case info.Mode()&0o022 != 0:
		return "", fmt.Errorf("script %s: others than its owner may change %s (mode %s): %w", s.cfg.Name, path, info.Mode().Perm(), action.ErrDecline)
	}
	return path, nil
}

func shown(path string, args []string) string {
	parts := []string{path}
	for _, a := range args {
		if strings.ContainsAny(a, " \t\n\"'") || a == "" {
			a = fmt.Sprintf("%q", a)
		}
		parts = append(parts, a)
	}
	return strings.Join(parts, " ")
}

// Do implements action.Executor.
func (s *Script) Do(ctx context.Context, o action.Order, _ action.Plan) (string, error) {
	return s.run(ctx, o, s.cfg.Args)
}

// Undo implements action.Executor.
func (s *Script) Undo(ctx context.Context, o action.Order, _ action.Plan) (string, error) {
	return s.run(ctx, o, s.cfg.Undo)
}

// Look implements action.Executor: nobody knows how far a program came.
func (s *Script) Look(context.Context, action.Order, action.Plan) (action.World, error) {
	return action.Unknown, nil
}

func (s *Script) run(ctx context.Context, o action.Order, args []string) (string, error) {
	path, err := s.find()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(time.Duration(s.cfg.Timeout), defaultTimeout))
	defer cancel()
	var out bounded
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"SIGNALBOX_RUN=" + o.ID, "SIGNALBOX_REMEDY=" + o.Remedy, "SIGNALBOX_SERVICE=" + o.Service, "SIGNALBOX_ENVIRONMENT=" + o.Environment,
	}
	cmd.Stdout, cmd.Stderr = &out, &out
	// A group of its own, so that what it started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	said := redact.Text(strings.TrimSpace(strings.ToValidUTF8(out.kept.String(), "?")))
	if out.cut {
		said += " … (cut)"
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s was ended: %w; it had printed: %s", s.cfg.Name, context.Cause(ctx), said)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w; it printed: %s", s.cfg.Name, err, said)
	}
	return fmt.Sprintf("ran %s; it printed: %s", shown(s.cfg.Name, args), cmp.Or(said, "nothing")), nil
}

// bounded keeps the beginning of what is written.
type bounded struct {
	kept bytes.Buffer // not embedded: it would be filled past Write
	cut  bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	room := maxOutput - b.kept.Len()
	if room < len(p) {
		b.cut = true
		b.kept.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.kept.Write(p)
}
