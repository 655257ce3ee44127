// Package purge is the command that proves that what is over is gone.
//
// What a storage folder holds is known by internal/retention. In: a folder and a configuration. Out: a table, and an exit
// status. Start reading at Purge.
package purge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/retention"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/atrest"
	"github.com/signalbox-project/signalbox/internal/seal/envelope"
)

// defaultTenant and tenantsFolder are where the stores of tenants are below the storage folder.
const (
	defaultTenant = "default"
	tenantsFolder = "tenants"
)

// Purge is the command.
func Purge(now func() time.Time) *cobra.Command {
	var storage, file string
	var verify bool
	var as show.Form
	cmd := &cobra.Command{
		Use:   "purge --verify",
		Short: "Prove that nothing is kept longer than its retention",
		Long: `Reads the files below --storage.path, of every store and tenant, and says how old the
oldest is, how long it is to be kept, and whether something is there that should be gone.
A server may use the folder meanwhile; it is not asked. The configuration is that of the
server: it says how long things are kept.

It deletes nothing. A running server deletes what is over by itself, whole blocks, parts
and months: what is older than its retention stays as long as something younger is in the
same one.

Exit status: 0 nothing is there that should be gone, 1 something is, or a file could
not be read.`,
		Example: `  signalbox purge --verify --storage.path /var/lib/signalbox --config.file signalbox.yml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !verify {
				return command.Usage(errors.New("a running server deletes what is over by itself; give --verify to see that it did"))
			}
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			opened, err := atrest.Look(storage, func() (seal.Sealer, error) { return envelope.Open(cfg.Seal, outgoing.New(cfg.Outgoing)) })
			if err != nil {
				return err
			}
			defer opened.Close()
			keeps, err := keeps(opened.Dir, cfg)
			if err != nil {
				return err
			}
			var rows []retention.Row
			for _, k := range keeps {
				rows = append(rows, retention.Look(cmd.Context(), k, now())...)
			}
			return answer(cmd.OutOrStdout(), as, rows)
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "say what is there, and what should not be")
	cmd.Flags().StringVar(&storage, "storage.path", "data", "folder for all data of the server")
	cmd.Flags().StringVar(&file, "config.file", "", "signalbox.yml of the server; without one the defaults apply")
	as.Flag(cmd.Flags())
	return cmd
}

// keeps are the folders of all tenants, also of those that the configuration does not name any more, whose data nobody deletes.
func keeps(storage string, cfg config.Config) ([]retention.Keep, error) {
	if _, err := os.Stat(storage); err != nil {
		return nil, fmt.Errorf("%w; name the server's folder with --storage.path", err)
	}
	out := []retention.Keep{keep(defaultTenant, storage, cfg)}
	entries, err := os.ReadDir(filepath.Join(storage, tenantsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		own, known := cfg, false
		if i := slices.IndexFunc(cfg.Tenants, func(t config.Tenant) bool { return t.Name == e.Name() }); i >= 0 {
			own, known = cfg.Of(cfg.Tenants[i]), true
		}
		k := keep(e.Name(), filepath.Join(storage, tenantsFolder, e.Name()), own)
		k.Abandoned = !known
		out = append(out, k)
	}
	return out, nil
}

func keep(tenant, dir string, cfg config.Config) retention.Keep {
	return retention.Keep{
		Tenant: tenant, Dir: dir, Metrics: time.Duration(cfg.Metrics.Retention), Days: archive.KeepDays,
		Logs: time.Duration(cfg.Events.Retention.Logs), Spans: time.Duration(cfg.Events.Retention.Spans), Audit: time.Duration(cfg.Audit.Retention),
	}
}

func answer(w io.Writer, as show.Form, rows []retention.Row) error {
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var a show.Answer[[]retention.Row]
	if err := json.Unmarshal(text, &a); err != nil {
		return err
	}
	if err := a.Print(w, as, table); err != nil {
		return err
	}
	if slices.ContainsFunc(rows, func(r retention.Row) bool { return !r.Proven() }) {
		return command.Exit(command.No)
	}
	return nil
}

func table(w io.Writer, rows []retention.Row) {
	t := show.NewTable("TENANT", "WHAT", "OLDEST", "KEPT FOR", "NUMBER", "LATE")
	late := 0
	for _, r := range rows {
		oldest, kept, over := "-", "good", "-"
		if !r.Oldest.IsZero() {
			oldest = r.Oldest.Format(time.RFC3339)
		}
		if r.Keep > 0 {
			kept = model.Duration(r.Keep * float64(time.Second)).String()
			over = fmt.Sprint(r.Late)
		}
		if r.Error != "" {
			over = "not known"
		}
		t.Row(r.Tenant, r.What, oldest, kept, fmt.Sprintf("%d %s", r.Count, r.Unit), over)
		if !r.Proven() {
			late++
		}
	}
	t.Write(w)
	for _, r := range rows {
		if r.Error != "" {
			fmt.Fprintf(w, "\n%s, %s: %s", r.Tenant, r.What, show.Printable(r.Error))
		}
		if r.Cure != "" {
			fmt.Fprintf(w, "\n%s, %s: %s", r.Tenant, r.What, show.Printable(r.Cure))
		}
	}
	if late == 0 {
		fmt.Fprintln(w, "\nNothing is there that should be gone.")
		return
	}
	fmt.Fprintf(w, "\n\n%d of these hold what should be gone, or could not be read.\n", late)
}
