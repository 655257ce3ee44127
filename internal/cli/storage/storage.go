// Package storage has the commands that change how the storage folder of a stopped server is kept.
//
// It does: ask atrest to move the data, and show how far that is. It does not: open a store. In: flags. Out: what was done. Start reading
// at Storage.
package storage

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/atrest"
	"github.com/signalbox-project/signalbox/internal/seal/envelope"
)

// Storage moves data into an encrypted folder and back.
func Storage(now func() time.Time) *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "storage",
		Short: "Have the data of a stopped server encrypted, or plain again",
	}, moveCommand(&cobra.Command{
		Use:   "encrypt",
		Short: "Move plain data into a folder that the file system encrypts",
		Long: `Copies the data below --storage.path into a folder that the file system encrypts, by a key
that opens with the keys of seal: in the configuration, reads the copy again, and removes the
plain files. The server must be stopped, and there must be room for the copy. A move that
was interrupted goes on where it was when it is run again. Afterwards the server starts with
storage.encrypt: true.

What was deleted stays in freed blocks of the disk until they are written again. Where
somebody may have read the disk, encrypt a new one and delete this one as a whole.`,
		Example: `  signalbox storage encrypt --storage.path /var/lib/signalbox --config.file signalbox.yml`,
	}, now, atrest.Encrypt, "The data are encrypted. Start the server with storage.encrypt: true."),
		moveCommand(&cobra.Command{
			Use:   "decrypt",
			Short: "Move encrypted data back, so that they lie there plain",
			Long: `Copies the data below --storage.path out of their encrypted folder, reads the copy again, and
removes the folder and its key. The server must be stopped, and there must be room for the
copy. A move that was interrupted goes on where it was when it is run again. Afterwards the
server starts without storage.encrypt.`,
			Example: `  signalbox storage decrypt --storage.path /var/lib/signalbox --config.file signalbox.yml`,
		}, now, atrest.Decrypt, "The data are plain. Start the server without storage.encrypt."))
}

// moveCommand is a command that moves the data.
func moveCommand(cmd *cobra.Command, now func() time.Time, move func(string, seal.Sealer, atrest.Tell) error, done string) *cobra.Command {
	var root, file string
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(file)
		if err != nil {
			return err
		}
		if len(cfg.Seal.Keys) == 0 {
			return command.Usage(errors.New("the configuration names no key in seal.keys, which the key of the folder is sealed by: give it with --config.file"))
		}
		sealer, err := envelope.Open(cfg.Seal, outgoing.New(cfg.Outgoing))
		if err != nil {
			return err
		}
		if err := move(root, sealer, progress(cmd.ErrOrStderr(), now)); err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), done)
		return err
	}
	cmd.Flags().StringVar(&root, "storage.path", "data", "folder for all data of the server")
	cmd.Flags().StringVar(&file, "config.file", "", "signalbox.yml of the server, with the section seal")
	return cmd
}

// progress says every few seconds how far a move is.
func progress(w io.Writer, now func() time.Time) atrest.Tell {
	const every = 5 * time.Second
	last := now()
	return func(done, total int64) {
		if at := now(); at.Sub(last) >= every {
			last = at
			fmt.Fprintf(w, "%d of %d MiB copied\n", done>>20, total>>20)
		}
	}
}
