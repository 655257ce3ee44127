package router

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// fallbackVersion is the Alertmanager release where the build does not tell.
const fallbackVersion = "0.34.2"

// Config is the section `routing`.
type Config struct {
	// StartDelay is how long after the start the first notification waits, so that
	// alerts that rules raise again are there before others are told as resolved or alone.
	StartDelay prommodel.Duration `yaml:"start_delay"`
}

// DefaultConfig notifies at once.
func DefaultConfig() Config { return Config{} }

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	if c.StartDelay < 0 || time.Duration(c.StartDelay) > time.Hour {
		return []error{fmt.Errorf("start_delay: must be between 0s and 1h, got %s", c.StartDelay)}
	}
	return nil
}

// completeStatus adds to the status what Alertmanager's build scripts would have linked in, and takes out
// secrets that stand where its configuration expects none.
func completeStatus(build Build, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/api/v2/status" {
			next.ServeHTTP(w, req)
			return
		}
		held := &heldResponse{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, req)
		var status map[string]any
		if err := json.Unmarshal(held.body.Bytes(), &status); held.code == http.StatusOK && err == nil {
			status["versionInfo"] = map[string]string{
				"version": alertmanagerVersion(), "revision": build.Revision, "branch": "signalbox-" + build.Version,
				"buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
			}
			if cfg, ok := status["config"].(map[string]any); ok {
				if text, ok := cfg["original"].(string); ok {
					cfg["original"] = redact.YAML(text)
				}
			}
			held.body.Reset()
			_ = json.NewEncoder(&held.body).Encode(status) // what was JSON is again
			held.header.Set("Content-Length", strconv.Itoa(held.body.Len()))
		}
		held.release(w)
	})
}

// Build is our own build; the status shows it beside the version of the
// Alertmanager whose API this is.
type Build struct{ Version, Revision string }

// alertmanagerVersion is the release whose code this is.
func alertmanagerVersion() string {
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, m := range bi.Deps {
			if m.Path == "github.com/prometheus/alertmanager" && len(m.Version) > 1 {
				return m.Version[1:]
			}
		}
	}
	return fallbackVersion
}
