package account

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// Tenants shows the tenants of a server.
func Tenants() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:   "tenants",
		Short: "The tenants of a server, what each takes and may",
		Long: `Lists the tenants that you may see: what each sent, keeps on disk and asked since it was
opened, and its limits. Below stands what lies on the disk and is no tenant's: folders of
tenants that the configuration does not name any more, and rows that were stored under a
name before it was a tenant's.`,
		Example: `  signalbox tenants
  signalbox tenants --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, &c, "/sb/v1/tenants", as, writeTenants)
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeTenants(w io.Writer, got api.TenantsResponse) {
	t := show.NewTable("TENANT", "SERVED", "SERIES", "ON DISK", "RECEIVED", "SAMPLES", "LOGS", "SPANS", "QUERIES", "NOTIFIED", "MAX SERIES", "WAITING", "LAST DATA", "SINCE")
	for _, one := range got.Tenants {
		served := "yes"
		if !one.Served {
			served = "NO"
		}
		var disk int64
		for _, n := range one.Bytes {
			disk += n
		}
		kept := size(disk)
		if one.Limits.MaxDiskBytes > 0 {
			kept += " of " + size(one.Limits.MaxDiskBytes)
		}
		u := one.Usage
		most := "-"
		if one.Limits.MaxSeries > 0 {
			most = strconv.Itoa(one.Limits.MaxSeries)
		}
		last := "-"
		if one.LastData != nil {
			last = one.LastData.Format(time.RFC3339)
		}
		t.Row(one.Name, served, strconv.FormatUint(one.Series, 10), kept, size(int64(u.ReceivedBytes)), count(u.ReceivedSamples), count(u.ReceivedLogs), count(u.ReceivedSpans),
			fmt.Sprintf("%.1f s", u.QuerySeconds), count(u.Notifications), most, waiting(one.Turns), last, one.Since.Format(time.RFC3339))
	}
	t.Write(w)
	for _, one := range got.Tenants {
		if one.Problem != "" {
			fmt.Fprintf(w, "\n%s is not served: %s\n", one.Name, one.Problem)
		}
		if n := one.Problems.Critical + one.Problems.Warnings; n > 0 {
			fmt.Fprintf(w, "\n%s has %d problems, %d of them critical: ask for /sb/v1/status as %s.\n", one.Name, n, one.Problems.Critical, one.Name)
		}
	}
	for _, u := range got.Unowned {
		what := u.Where + " is the folder of a tenant that is not named any more: " + u.Tenant
		if u.Logs+u.Spans > 0 {
			what = fmt.Sprintf("%s has rows of before tenants were named, under the name %s: log records %d, spans %d", u.Where, u.Tenant, u.Logs, u.Spans)
		}
		fmt.Fprintf(w, "\n%s\n  %s\n", what, u.Cure)
	}
}

// waiting is how much of a tenant waits for its turn.
func waiting(turns []api.TenantTurns) string {
	if len(turns) == 0 {
		return "-"
	}
	sum := 0
	for _, t := range turns {
		sum += t.Waiting
	}
	return strconv.Itoa(sum)
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

// size is a number of bytes as people read it.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, at := float64(n)/unit, 0
	for v >= unit && at < 3 {
		v, at = v/unit, at+1
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGT"[at])
}
