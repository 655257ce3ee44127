package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// ending is a command that ends with err.
func ending(err error) *cobra.Command {
	return &cobra.Command{Use: "end", RunE: func(*cobra.Command, []string) error { return err }}
}

func TestAnErrorsKindIsItsExitStatus(t *testing.T) {
	if err := command.Exit(command.OK); err != nil {
		t.Errorf("OK is an error: %v", err)
	}
	plain := errors.New("the disk is full")
	for _, c := range []struct {
		name   string
		err    error
		status int
		says   string
	}{
		{"nothing", nil, 0, ""},
		{"OK", command.Exit(command.OK), 0, ""},
		{"no", command.Exit(command.No), 1, ""},
		{"said already", command.Exit(command.Failed), 3, ""},
		{"said and wrapped", fmt.Errorf("more: %w", command.Exit(command.No)), 1, ""},
		{"an error", plain, 3, "signalbox: the disk is full\n"},
		{"wrong usage", command.Usage(plain), 2, "signalbox: the disk is full\nRun 'signalbox end --help' for usage.\n"},
		{"wrong usage, wrapped", fmt.Errorf("x: %w", command.Usage(plain)), 2, "signalbox: x: the disk is full\nRun 'signalbox end --help' for usage.\n"},
		{"wrong usage among others", errors.Join(plain, command.Usage(plain)), 2, "signalbox: the disk is full\nthe disk is full\nRun 'signalbox end --help' for usage.\n"},
	} {
		status, out, errOut := clitest.Run(t, []*cobra.Command{ending(c.err)}, "end")
		if status != c.status || errOut != c.says || out != "" {
			t.Errorf("%s: exit %d, %q; want %d, %q", c.name, status, errOut, c.status, c.says)
		}
	}
}

func TestWrongUsageBelowGateIsNoVerdict(t *testing.T) {
	gate := command.Group(&cobra.Command{Use: "gate"}, ending(command.Usage(errors.New("x"))))
	for _, args := range []string{"gate", "gate end", "gate edn", "gate end --nope", "gate --nope"} {
		if status, _, errOut := clitest.Run(t, []*cobra.Command{gate}, strings.Fields(args)...); status != 3 || !strings.Contains(errOut, "--help' for usage") {
			t.Errorf("%s: exit %d, %q", args, status, errOut)
		}
	}
}

func TestAHintNamesWhatIsThereAndShown(t *testing.T) {
	tree := func() []*cobra.Command {
		list := &cobra.Command{Use: "list", Aliases: []string{"enumerate"}, Run: func(*cobra.Command, []string) {}}
		list.Flags().Bool("recursive", false, "")
		list.Flags().Bool("secretive", false, "")
		_ = list.Flags().MarkHidden("secretive")
		hidden := &cobra.Command{Use: "worker", Hidden: true, Run: func(*cobra.Command, []string) {}}
		return []*cobra.Command{command.Group(&cobra.Command{Use: "slo"}, list, hidden)}
	}
	for args, hint := range map[string]string{
		"slo lst":               "list",
		"slo enumerat":          "enumerate",
		"slo wrker":             "",
		"slo something":         "",
		"slo list --recursiv":   "--recursive",
		"slo list --secretiv":   "",
		"slo list --recursiv=1": "--recursive",
	} {
		status, _, errOut := clitest.Run(t, tree(), strings.Fields(args)...)
		_, said, _ := strings.Cut(errOut, "Did you mean ")
		if said, _, _ = strings.Cut(said, "?"); status != 2 || said != hint {
			t.Errorf("%s: exit %d, hint %q, want %q; %s", args, status, said, hint, errOut)
		}
	}
}

func TestAFlagWinsOverItsVariableAndTheVariableOverTheDefault(t *testing.T) {
	var path string
	var wait time.Duration
	tree := func() []*cobra.Command {
		c := ending(nil)
		c.Flags().StringVar(&path, "storage.the-path", "default", "")
		c.Flags().DurationVar(&wait, "wait", time.Second, "")
		return []*cobra.Command{c}
	}
	for _, c := range []struct {
		env, flags string
		path       string
		wait       time.Duration
	}{
		{"", "", "default", time.Second},
		{"SIGNALBOX_STORAGE_THE_PATH=v SIGNALBOX_WAIT=2m", "", "v", 2 * time.Minute},
		{"SIGNALBOX_STORAGE_THE_PATH=v SIGNALBOX_WAIT=2m", "--storage.the-path f", "f", 2 * time.Minute},
		{"SIGNALBOX_STORAGE_THE_PATH=", "", "", time.Second}, // set and empty is a value
		{"SIGNALBOX_WAIT=nonsense", "--wait 3s", "default", 3 * time.Second},
	} {
		t.Run(c.env+" "+c.flags, func(t *testing.T) {
			for _, kv := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(kv, "=")
				t.Setenv(name, value)
			}
			status, _, errOut := clitest.Run(t, tree(), append([]string{"end"}, strings.Fields(c.flags)...)...)
			if status != 0 || path != c.path || wait != c.wait {
				t.Errorf("exit %d, %q, %q, %s", status, errOut, path, wait)
			}
		})
	}
	t.Setenv("SIGNALBOX_WAIT", "nonsense")
	if status, _, errOut := clitest.Run(t, tree(), "end"); status != 2 || !strings.Contains(errOut, "environment variable SIGNALBOX_WAIT: ") || !strings.Contains(errOut, `"nonsense"`) {
		t.Errorf("exit %d, %q", status, errOut)
	}
}

func TestPatternsThatTheShellLeftAloneAreExpanded(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yml", "a.yml", "c.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	got, err := command.Expand([]string{at("c.*"), at("*.yml")})
	if want := []string{at("c.txt"), at("a.yml"), at("b.yml")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if got, err := command.Expand(nil); err != nil || len(got) != 0 {
		t.Errorf("no pattern: %v, %v", got, err)
	}
	if _, err := command.Expand([]string{at("*.yml"), at("none*")}); err == nil || err.Error() != at("none*")+": there is no such file" {
		t.Errorf("a pattern of nothing: %v", err)
	}
	if status, _, errOut := clitest.Run(t, []*cobra.Command{{Use: "end", RunE: func(*cobra.Command, []string) error { _, err := command.Expand([]string{"["}); return err }}}, "end"); status != 2 || !strings.Contains(errOut, "pattern [: syntax error in pattern") {
		t.Errorf("no pattern at all: exit %d, %q", status, errOut)
	}
}
