package webhook

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
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
