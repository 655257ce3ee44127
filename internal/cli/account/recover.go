// Package account is the commands about who somebody is: login, whoami, tokens, users, sessions, roles.
//
// It opens no store: what it changes, a running server changes, which also decides who may. In: arguments. Out: requests and their
// answers in words. A token's text and a link are printed once, on standard output alone. Start reading at Login.
package account

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/seal/atrest"
)

// folder is that of accounts in the storage folder.
const folder = "auth"

func recoverCommand() *cobra.Command {
	var c client.Client
	var storage string
	cmd := &cobra.Command{
		Use:   "recover NAME",
		Short: "A link with which a user who lost the password chooses another",
		Long: `Asks the running server for a link that lets a local user choose another
password, and takes one who was disabled back in. The proof that you may is a file
in the storage folder that only the server's own user, and root, can read: run this
on the server, as that user. The link is good for 24 hours, once; whoever has it can
log in as the user. The audit log says that it was made.`,
		Example: `  signalbox user recover ann --storage.path /var/lib/signalbox`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.MaySendSecret(); err != nil {
				return command.Usage(err)
			}
			proof, err := secretfile.Read(filepath.Join(atrest.Of(storage), folder, accounts.RecoveryFile))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return fmt.Errorf("%w; name the server's folder with --storage.path, and start the server with authentication on: it writes the file", err)
			case errors.Is(err, fs.ErrPermission):
				return fmt.Errorf("%w; run this as the user that the server runs as", err)
			case err != nil:
				return err
			}
			var got struct {
				Path string `json:"path"`
			}
			if err := c.Anonymous().PostJSON(cmd.Context(), "/sb/v1/recover", map[string]string{"proof": proof.Text(), "name": args[0]}, &got); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nOpen it within 24 hours, or give it to %s and nobody else.\n", c.Link(got.Path), args[0])
			return err
		},
	}
	cmd.Flags().StringVar(&storage, "storage.path", "data", "folder for all data of the server")
	c.ServerFlags(cmd.Flags())
	return cmd
}
