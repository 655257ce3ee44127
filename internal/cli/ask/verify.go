package ask

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

func gateVerifyCommand() *cobra.Command {
	var c client.Client
	var keyFile string
	cmd := &cobra.Command{
		Use:   "verify ID",
		Short: "Check a decision's signature on this machine",
		Long: `Fetches a decision and checks here, not on the server, that its Ed25519 signature
fits and that what is shown is what was signed. With --key it is checked with a
public key that you kept (the field pem of GET /sb/v1/gate/key); without, with the
one that the server shows for the time of the decision. What the server's audit log
says against the decision or that key makes it not valid, too.

Exit status:
  0  valid: the signature fits, and the server marks nothing
  1  not valid: the signature does not fit, it is by another key, or the audit log
     says that the decision or its key was changed or put into the database
  3  error: no answer from the server, no such decision, wrongly called, or the server
     could not compare the decision with its audit log`,
		Example: `  id=$(signalbox gate check --service edge --environment prod --json | jq -r .id)
  signalbox gate verify $id`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d model.GateDecision
			if err := c.Get(cmd.Context(), decisionPath(args[0], ""), nil, &d); err != nil {
				return err
			}
			if d.ID == "" {
				return errors.New("the answer holds no decision; check that --server is a Signalbox server")
			}
			key, err := keyFor(cmd, &c, keyFile, d.Envelope)
			if err != nil {
				return err
			}
			return verified(cmd.OutOrStdout(), d, key)
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "public key in PEM; the server's by default")
	c.Flags(cmd.Flags())
	return cmd
}

// verified prints the outcome. A decision that somebody doubts is not valid, whoever it is: a server that lies can call a good
// one bad, which it could do by showing another, but no bad one good.
func verified(w io.Writer, d model.GateDecision, key trusted) error {
	no := func(why string) error {
		fmt.Fprintf(w, "NOT VALID: %s\n", why)
		return command.Exit(command.No)
	}
	id := sign.KeyID(key.public)
	if err := gate.Verify(key.public, d); err != nil {
		return no(err.Error())
	}
	if key.marked != "" && !strings.HasPrefix(key.marked, model.Uncompared) {
		return no("the signature fits key " + id + ", but the server says of that key: " + key.marked)
	}
	if d.Tampered != "" && !strings.HasPrefix(d.Tampered, model.Uncompared) {
		return no("the signature fits key " + id + ", but the server says of the decision: " + d.Tampered)
	}
	if doubt := cmp.Or(key.marked, d.Tampered); doubt != "" {
		return fmt.Errorf("the signature fits key %s, but the server could not look further: %s; ask again in a moment", id, doubt)
	}
	fmt.Fprintf(w, "valid: decision %s (%s) was signed by key %s\n", d.ID, d.Verdict, id)
	if d.Override != nil && d.Override.Tampered != "" {
		fmt.Fprintln(w, overrideDoubt(d.Override.Tampered))
	}
	return nil
}

// overrideDoubt says what is wrong with an override. One that is touched lets nothing pass, by its signature; one that was not
// compared does as long as that fits.
func overrideDoubt(tampered string) string {
	if strings.HasPrefix(tampered, model.Uncompared) {
		return "OVERRIDE NOT COMPARED: " + tampered
	}
	return "OVERRIDE TAMPERED WITH, not honoured: " + tampered
}

// trusted is the key that a decision is checked with, and what the server says against it.
type trusted struct {
	public ed25519.PublicKey
	marked string
}

// keyFor is the key in the file or, without a file, the one of the server's that the envelope names.
func keyFor(cmd *cobra.Command, c *client.Client, file string, e *model.GateEnvelope) (trusted, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return trusted{}, command.Usage(fmt.Errorf("--key: %w", err))
		}
		public, err := sign.ParsePEM(text)
		if err != nil {
			return trusted{}, command.Usage(fmt.Errorf("--key %s: %w", file, err))
		}
		return trusted{public: public}, nil
	}
	var k gate.PublicKey
	if err := c.Get(cmd.Context(), "/sb/v1/gate/key", nil, &k); err != nil {
		return trusted{}, err
	}
	by := k
	for _, old := range k.Former {
		if e != nil && len(e.Signatures) > 0 && e.Signatures[0].KeyID == old.KeyID {
			by = old
			break
		}
	}
	public, err := sign.ParsePEM([]byte(by.PEM))
	if err != nil {
		return trusted{}, fmt.Errorf("the server's key: %w", err)
	}
	return trusted{public, by.Tampered}, nil
}
