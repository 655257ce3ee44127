package account

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestTenantsAreListedWithWhatIsNobodys(t *testing.T) {
	var out strings.Builder
	last := time.Unix(60, 0).UTC()
	acme := api.TenantUsage{
		TenantStatus: api.TenantStatus{Name: "acme", Served: true, Series: 7, Bytes: map[string]int64{"metrics": 1 << 20, "events": 1 << 19}},
		Since:        time.Unix(0, 0).UTC(), Usage: model.Usage{ReceivedBytes: 1023, ReceivedLogs: 5, QuerySeconds: 1.25}, Limits: api.TenantLimits{MaxSeries: 10, MaxDiskBytes: 3 << 30},
		LastData: &last, Turns: []api.TenantTurns{{Kind: "questions", Now: 5, Waiting: 21, Most: 5}, {Kind: "writes", Waiting: 2}}, Problems: api.TenantProblems{Critical: 1, Warnings: 2},
	}
	writeTenants(&out, api.TenantsResponse{
		Tenants: []api.TenantUsage{acme, {TenantStatus: api.TenantStatus{Name: "blue"}, Problem: "no room"}},
		Unowned: []api.Unowned{{Tenant: "old", Where: "data/tenants/old", Cure: "name it"}, {Tenant: "acme", Where: "data", Logs: 3, Cure: "read it"}},
	})
	for _, want := range []string{
		"acme    yes     7       1.5 MiB of 3.0 GiB  1023 B", "1.2 s", "1970-01-01T00:00:00Z", "blue    NO", "blue is not served: no room", " 23       1970-01-01T00:01:00Z", "acme has 3 problems, 1 of them critical: ask for /sb/v1/status as acme.",
		"data/tenants/old is the folder of a tenant that is not named any more: old\n  name it", "under the name acme: log records 3, spans 0\n  read it",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
