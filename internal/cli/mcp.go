package cli

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api/mcp"
	"github.com/signalbox-project/signalbox/internal/cli/client"
)

func mcpCommand(version string) *cobra.Command {
	var c client.Client
	var cfg mcp.Config
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Give an agent on this machine tools that ask a running server",
		Long: `Speaks the Model Context Protocol over the standard streams, for agents that start their
tools themselves, and asks a running server as whoever signalbox login logged in there, or by
the token in SIGNALBOX_TOKEN. An agent sees what that login sees, and nothing else.

Agents that speak HTTP need no command: the server has the same tools at /mcp.`,
		Example: `  signalbox mcp --server https://signalbox.example.org`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := mcp.New(mcp.Deps{Config: cfg, Version: version})
			if err != nil {
				return err
			}
			return server.Stdio(cmd.Context(), asking(&c), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&cfg.Writes, "writes", false, "offer tools that change something too: acknowledge, note, ask the gate")
	c.Flags(cmd.Flags())
	return cmd
}

// asking asks a running server.
func asking(c *client.Client) mcp.Ask {
	return func(ctx context.Context, q mcp.Question) (got json.RawMessage, err error) {
		if q.Method == http.MethodGet {
			return c.GetRaw(ctx, q.Path, q.Params)
		}
		err = c.PostJSON(ctx, q.Path, q.Body, &got)
		return got, err
	}
}
