package ask_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

// signed is a decision as a server with this key answers it.
func signed(t *testing.T, key *sign.Key, verdict model.Verdict) model.GateDecision {
	t.Helper()
	d := model.GateDecision{ID: "d1", Verdict: verdict, Summary: "Because."}
	payload, err := sign.Canonical(gate.Record{Decision: d})
	if err != nil {
		t.Fatal(err)
	}
	e := key.Sign(gate.PayloadType, payload)
	d.Envelope = &e
	return d
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newKey(t *testing.T) (key *sign.Key, shown gate.PublicKey) {
	t.Helper()
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := sign.PEM(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, gate.PublicKey{KeyID: sign.KeyID(key.Public()), PEM: pem}
}

// The check is made on this machine: a server that lies about a decision is found out, and with
// a key that was kept also one that lies about its key.
func TestGateVerifyBelievesTheSignatureAndNotTheServer(t *testing.T) {
	key, shown := newKey(t)
	other, otherShown := newKey(t)
	kept := filepath.Join(t.TempDir(), "kept.pem")
	if err := os.WriteFile(kept, []byte(shown.PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	good := signed(t, key, model.VerdictBlock)
	turned := good
	turned.Verdict = model.VerdictAllow
	bent := signed(t, key, model.VerdictBlock)
	bent.Envelope.Signatures[0].Sig[0] ^= 1
	overridden := good
	overridden.Override = &model.GateOverride{Actor: "kim"}
	bare := good
	bare.Envelope = nil
	renewed := otherShown
	renewed.Former = []gate.PublicKey{shown}
	foisted := otherShown
	foisted.Former = []gate.PublicKey{shown}
	foisted.Former[0].Tampered = "no entry of the audit log tells of it"
	marked := shown
	marked.Tampered = "no entry of the audit log tells of it"
	stands := renewed
	stands.Tampered = "no entry of the audit log tells of it"
	unknown := good
	unknown.Tampered = "no entry of the audit log tells of it"
	unread := good
	unread.Tampered = model.Uncompared + " with the audit log: that is still being read"
	for _, c := range []struct {
		name   string
		d      model.GateDecision
		server gate.PublicKey
		key    string
		status int
	}{
		{"as signed", good, shown, "", 0},
		{"with the kept key", good, gate.PublicKey{}, kept, 0},
		{"an override beside it is not signed", overridden, shown, "", 0},
		{"signed by a key of before", good, renewed, "", 0},
		{"another verdict is shown", turned, shown, "", 1},
		{"a bit of the signature", bent, shown, "", 1},
		{"the server shows another key", good, otherShown, "", 1},
		{"signed by a stranger, who shows his key", signed(t, other, model.VerdictAllow), otherShown, kept, 1},
		{"without an envelope", bare, shown, "", 1},
		{"signed by a key of before that the audit log does not know", good, foisted, "", 1},
		{"signed by the key in use, which is marked", good, marked, "", 1},
		{"another key than the one that signed is marked", good, stands, "", 0},
		{"the audit log does not know the decision", unknown, shown, "", 1},
		{"one is marked, the other was not compared", unread, marked, "", 1},
		{"nor does it where the key was kept", unknown, gate.PublicKey{}, kept, 1},
	} {
		server := clitest.Serve(t, 200, text(t, c.d), text(t, c.server))
		args := []string{"gate", "verify", "d1", "--server", server.URL}
		if c.key != "" {
			args = append(args, "--key", c.key)
		}
		status, out, errOut := run(t, args...)
		if want := map[bool]string{true: "valid: decision d1 (block) was signed by key " + shown.KeyID, false: "NOT VALID: "}[c.status == 0]; status != c.status || !strings.HasPrefix(out, want) {
			t.Errorf("%s: exit %d, %q, %q; want %d, %q", c.name, status, out, errOut, c.status, want)
		}
	}
	nonsense := filepath.Join(t.TempDir(), "nonsense.pem")
	if err := os.WriteFile(nonsense, []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{nonsense + ".gone": "--key: open ", nonsense: "--key " + nonsense + ": "} {
		server := clitest.Serve(t, 200, text(t, good))
		if status, _, errOut := run(t, "gate", "verify", "d1", "--server", server.URL, "--key", file); status != 3 || !strings.Contains(errOut, says) {
			t.Errorf("%s: exit %d, %q", file, status, errOut)
		}
	}
}

// Whoever reads only the exit status must never take the want of an answer for one.
func TestGateVerifyHasAnExitStatusForNoAnswer(t *testing.T) {
	key, shown := newKey(t)
	good := text(t, signed(t, key, model.VerdictAllow))
	unread := signed(t, key, model.VerdictAllow)
	unread.Tampered = model.Uncompared + " with the audit log: that is still being read"
	unreadKey := shown
	unreadKey.Tampered = unread.Tampered
	for _, c := range []struct {
		name   string
		server *clitest.Server
		says   string
	}{
		{"the audit log is still being read", clitest.Serve(t, 200, text(t, unread), text(t, shown)), "could not look further: it was not compared"},
		{"whether the key is known is not", clitest.Serve(t, 200, good, text(t, unreadKey)), "could not look further: it was not compared"},
		{"no such decision", clitest.Serve(t, 404, `{"title":"Not Found","status":404,"detail":"gate decision d1: not found: it was taken out of the database"}`), "it was taken out of the database"},
		{"the server fails", clitest.Serve(t, 500, `{"title":"Internal Server Error","status":500,"detail":"disk full"}`), "disk full"},
		{"no permission", clitest.Serve(t, 403, `{"title":"Forbidden","status":403,"detail":"gate.read is needed"}`), "gate.read"},
		{"JSON of another program", clitest.Serve(t, 200, "{}"), "no decision"},
		{"another program's page", clitest.Serve(t, 200, "<html>"), "is this a Signalbox server?"},
		{"no key", clitest.Serve(t, 200, good, "{}"), "the server's key: public key: it is not PEM"},
	} {
		if status, out, errOut := run(t, "gate", "verify", "d1", "--server", c.server.URL); status != 3 || out != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%s: exit %d, %q, %q", c.name, status, out, errOut)
		}
	}
	if status, _, errOut := run(t, "gate", "verify"); status != 3 || !strings.Contains(errOut, "accepts 1 arg") {
		t.Errorf("without an id: exit %d, %q", status, errOut)
	}
}

// An override is no part of what was signed with a decision; that it was touched is said beside it.
func TestGateVerifyNamesAnOverrideThatWasTouched(t *testing.T) {
	key, shown := newKey(t)
	d := signed(t, key, model.VerdictBlock)
	d.Override = &model.GateOverride{ID: "o1", Tampered: "it is not what the gate signed"}
	server := clitest.Serve(t, 200, text(t, d), text(t, shown))
	status, out, _ := run(t, "gate", "verify", "d1", "--server", server.URL)
	if status != 0 || !strings.Contains(out, "OVERRIDE TAMPERED WITH, not honoured: it is not what the gate signed") {
		t.Errorf("exit %d, %q", status, out)
	}
}
