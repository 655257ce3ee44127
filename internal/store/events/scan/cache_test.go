package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// minutesOf is a part with one record in each of n minutes.
func minutesOf(t *testing.T, id uint64, n int) *part.Part {
	t.Helper()
	b := head.NewLogs(id)
	for i := range n {
		b.Append([]model.LogRecord{{Time: int64(i) * minute, Level: model.LevelInfo, Message: "m", Resource: &model.Resource{Tenant: "default", Service: "edge"}}})
	}
	p, err := part.WriteLogs(disk.OS{}, filepath.Join(t.TempDir(), "logs"), b.Snapshot(), part.Options{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

func TestRollUpsAreReadOnceAndKeptWithinABound(t *testing.T) {
	c := newRollupCache()
	first, second := minutesOf(t, 1, 3), minutesOf(t, 2, 5)
	for range 2 {
		list, err := c.of(first)
		if err != nil || len(list) != 3 || c.size != 3 {
			t.Fatalf("%d roll-ups, %d held, %v", len(list), c.size, err)
		}
		if err := os.Truncate(first.IndexPath(), 100); err != nil { // the second time, nothing is read
			t.Fatal(err)
		}
	}
	if _, err := newRollupCache().of(first); err == nil {
		t.Error("roll-ups of a lost index are made up")
	}
	c.size = maxCachedRollups - 4
	list, err := c.of(second)
	if _, held := c.list[first]; err != nil || len(list) != 5 || c.size != 5 || held {
		t.Errorf("beyond the bound: %d roll-ups, %d held, the first still: %v, %v", len(list), c.size, held, err)
	}
}

func TestRollUpsOfATenantAndAFilter(t *testing.T) {
	b := head.NewLogs(1)
	for i, r := range []model.LogRecord{
		{Level: model.LevelInfo, Resource: &model.Resource{Tenant: "default", Service: "edge"}},
		{Level: model.LevelError, Resource: &model.Resource{Tenant: "default", Service: "edge"}},
		{Level: model.LevelError, Resource: &model.Resource{Tenant: "blue", Service: "pay"}},
		{Resource: &model.Resource{Tenant: "blue"}},
	} {
		r.Time, r.Message = int64(i%2)*minute, "m"
		b.Append([]model.LogRecord{r, r})
	}
	p, err := part.WriteLogs(disk.OS{}, filepath.Join(t.TempDir(), "logs"), b.Snapshot(), part.Options{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	level := func(op store.Op, l string) store.Expr { return store.Compare{Field: "level", Op: op, Value: l} }
	for _, c := range []struct {
		name, tenant string
		e            store.Expr
		want         map[string]int // by level, service and tenant
	}{
		{"all", "", nil, map[string]int{"info edge default": 2, "error edge default": 2, "error pay blue": 2, "  blue": 2}},
		{"of a tenant", "blue", nil, map[string]int{"error pay blue": 2, "  blue": 2}},
		{"of a level", "", level(store.OpGe, "warn"), map[string]int{"error edge default": 2, "error pay blue": 2}},
		{"what has no level is not another one", "", level(store.OpNe, "error"), map[string]int{"info edge default": 2}},
		{"but is without that one", "", store.Not{Expr: level(store.OpEq, "error")}, map[string]int{"info edge default": 2, "  blue": 2}},
		{"no service", "", store.Not{Expr: store.Exists{Field: "service"}}, map[string]int{"  blue": 2}},
		{"another tenant's", "green", nil, map[string]int{}},
	} {
		got := map[string]int{}
		err := New(nil).eachRollup(match.New(part.Logs, c.tenant, store.Range{}, c.e), p, func(row *rollupRow, r part.Rollup) {
			got[row.text("level")+" "+row.text("service")+" "+row.text("tenant")] += int(r.Count)
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}
