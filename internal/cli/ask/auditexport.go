package ask

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

func auditExportCommand() *cobra.Command {
	var c client.Client
	var actor, action, start, end, subject, text, format, file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write audit entries with the hashes that prove them, oldest first",
		Long: `Writes entries as JSON lines, each with its hash and the one before it, so that somebody
without access to this server can verify them ('signalbox audit verify --file', or the
program in docs/formats/audit.md). Without a filter everything that the caller may see is
written. --format csv is for spreadsheets and proves nothing.`,
		Example: `  signalbox audit export --output audit.jsonl
  signalbox audit export --action gate.override --start now-90d --format csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			params := url.Values{"format": {format}}
			for name, v := range map[string]string{"actor": actor, "action": action, "start": start, "end": end, "subject": subject, "text": text} {
				if v != "" {
					params.Set(name, v)
				}
			}
			out := cmd.OutOrStdout()
			if file != "" {
				f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err != nil {
					return command.Usage(fmt.Errorf("--output: %w", err))
				}
				defer f.Close()
				if err := c.Copy(cmd.Context(), "/sb/v1/audit/export", params, f); err != nil {
					return err
				}
				return f.Close()
			}
			w := bufio.NewWriter(out)
			if err := c.Copy(cmd.Context(), "/sb/v1/audit/export", params, w); err != nil {
				return err
			}
			return w.Flush()
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&actor, "actor", "", "only what this person or program did")
	fs.StringVar(&action, "action", "", "only this action, for example gate.override")
	fs.StringVar(&start, "start", "", "from when: now-30d or RFC 3339 (default the beginning)")
	fs.StringVar(&end, "end", "", "until when (default now)")
	fs.StringVar(&subject, "subject", "", "only what was done to this, for example a decision's ID or a path")
	fs.StringVar(&text, "text", "", "only entries with this somewhere in them, whatever the case of its letters")
	fs.StringVar(&format, "format", "jsonl", "jsonl, or csv")
	fs.StringVar(&file, "output", "", "write to this new file, which only you can read (default standard output)")
	c.Flags(fs)
	return cmd
}

// verifyFile verifies an export without a server.
func verifyFile(cmd *cobra.Command, file string, gaps bool, o *output) error {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("--file: %w", err)
		}
		defer f.Close()
		in = f
	}
	v, unproved, err := auditlog.CheckExport(in, gaps)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := o.print(cmd, raw, func(w io.Writer) error {
		if !v.Intact {
			_, err := fmt.Fprintf(w, "NOT INTACT: %s (the %d entries before it fit)\n", v.Fault, v.Entries)
			return err
		}
		_, err := fmt.Fprintf(w, "intact: %d entries, the last is %d with hash %s\n", v.Entries, v.Last, v.Hash)
		if err == nil && unproved > 0 {
			_, err = fmt.Fprintf(w, "%d of them are older than the hashes and prove nothing\n", unproved)
		}
		return err
	}); err != nil {
		return err
	}
	if !v.Intact {
		return command.Exit(command.No)
	}
	return nil
}
