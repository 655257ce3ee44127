package cli

import (
	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/app"
	"github.com/signalbox-project/signalbox/internal/query/sql"
)

// sqlWorkerCommand is what the platform starts for each SQL query.
func sqlWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    app.SQLWorkerCommand,
		Hidden: true,
		Args:   cobra.NoArgs,
		// The worker's environment is the platform's: its flags do not apply.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sql.ServeWorker(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
