package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli"
)

// A pipeline acts on the exit status alone: a mistyped command is never 0, and
// below gate never 2, which is a verdict there.
func TestWrongUsageHasAnExitStatusOfItsOwn(t *testing.T) {
	for _, tc := range []struct {
		args   string
		status int
		says   string
	}{
		{"bogus", 2, `unknown command "bogus"`},
		{"slo mend", 2, `unknown command "mend" for "signalbox slo"`},
		{"slo", 2, "needs a subcommand: "},
		{"query promql", 2, "accepts 1 arg"},
		{"query", 2, "needs a subcommand"},
		{"check", 2, "needs a subcommand"},
		{"gate", 3, "needs a subcommand: canary, check,"},
		{"gate override d1", 3, `required flag(s) "reason" not set`},
		{"gate verify d1 --server http://127.0.0.1:1", 3, "connection refused"},
		{"gate replay d1 --server http://127.0.0.1:1", 3, "connection refused"},
		{"gate canary --service edge", 3, `required flag(s) "baseline", "canary" not set`},
		{"gate chek --service edge", 3, `unknown command "chek" for "signalbox gate"`},
		{"gate check", 3, `required flag(s) "service" not set`},
		{"gate check --service", 3, "flag needs an argument"},
		{"gate check --nope", 3, "unknown flag: --nope"},
		{"gate check --service edge --server http://127.0.0.1:1", 3, "connection refused"},
		{"gate --help", 0, ""},
		{"serv", 2, "Did you mean serve?"},
		{"slo lst", 2, "Did you mean list?"},
		{"gate chek", 3, "Did you mean check?"},
		{"serve --storage.paht x", 2, "Did you mean --storage.path?"},
		{"slo list --server ftp://x", 2, "ftp:// is not spoken here"},
		{"slo list --server http://", 2, "host:port"},
		{"slo list --server http://h?x=1", 2, "without a query"},
		{"slo list --server 127.0.0.1:1", 3, "http://127.0.0.1:1: dial tcp"},
		{"slo list --server //localhost:1/", 3, "http://localhost:1: dial tcp"},
		{"slo list --server http://bob:SECRET@127.0.0.1:1", 3, "http://bob:xxxxx@127.0.0.1:1: dial tcp"},
		{"gate check --service edge --server 127.0.0.1:1", 3, "connection refused"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			status := cli.Main(context.Background(), "dev", strings.Fields(tc.args), &out, &errOut)
			if status != tc.status || !strings.Contains(errOut.String(), tc.says) {
				t.Errorf("status %d, %q; want %d and %q", status, errOut.String(), tc.status, tc.says)
			}
		})
	}
}
