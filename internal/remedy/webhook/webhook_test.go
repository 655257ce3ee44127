package webhook

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

type never struct{}

func (never) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("must not be called")
}

// The orders themselves are checked by the scenarios of package remedy.
func TestNothingIsSentInADryRunOrWithoutASecret(t *testing.T) {
	now := func() time.Time { return time.Unix(1772459700, 0) }
	w := New(Config{URL: "https://deployer.test/x", SecretFile: filepath.Join(t.TempDir(), "missing")}, never{}, now)
	if text, err := w.Rollback(t.Context(), rollback.Order{DryRun: true}); err != nil || text != "would send the order to https://deployer.test/x" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := w.Rollback(t.Context(), rollback.Order{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// The value is what openssl computes:
// printf '1772459700.{}' | openssl dgst -sha256 -hmac s3cret
func TestTheSignatureIsTheDocumentedOne(t *testing.T) {
	if got := Sign([]byte("s3cret"), "1772459700", []byte("{}")); got != "sha256=7f23847cd16a5982763770faece612eb8f85cf6a605afc890deaf57ddf1b9af6" {
		t.Errorf("got %s", got)
	}
	if a, b := Sign([]byte("s"), "1", []byte("2.3")), Sign([]byte("s"), "12", []byte(".3")); a == b || !strings.HasPrefix(a, "sha256=") {
		t.Error("the time is not bound to the body")
	}
}
