package router

import (
	"context"
	"strings"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/alerting/flapping"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// A flapping alert keeps its page open over its ends, says why, and ends once it was calm.
func TestAFlappingAlertIsHeldOpenUntilItIsCalm(t *testing.T) {
	f := start(t, t.TempDir(), fast, func(d *Deps) {
		damper, err := flapping.New(flapping.Config{Enabled: true, After: 2, Within: prommodel.Duration(time.Hour), Calm: prommodel.Duration(time.Second)}, d.Logger, d.Registerer)
		if err != nil {
			t.Fatal(err)
		}
		d.Damp = damper.Damp
	})
	turn := func(end bool) {
		a := burn("service", "edge")
		a.StartsAt = time.Now()
		if end {
			a.EndsAt = a.StartsAt
		}
		send(t, f.Router, a)
	}
	turn(false)
	first := f.pages.await(t, "the first", func(p model.Page) bool { return p.Status == "firing" })
	turn(true)
	f.pages.await(t, "over", func(p model.Page) bool { return p.ID == first.ID && p.Status == "resolved" })
	turn(false)
	second := f.pages.await(t, "the second", func(p model.Page) bool { return p.ID != first.ID && p.Status == "firing" })
	if note := second.Alerts[0].Annotations[notify.Flapping]; !strings.Contains(note, "it fired 2 times since") {
		t.Errorf("the page says %q", note)
	}
	turn(true)
	active, err := f.ActiveAlerts(context.Background())
	if err != nil || len(active) != 1 || !strings.Contains(active[0].Flapping, "until it stays quiet for") {
		t.Errorf("active: %+v, %v", active, err)
	}
	f.pages.await(t, "closed when it was calm", func(p model.Page) bool { return p.ID == second.ID && p.Status == "resolved" })
	f.pages.mu.Lock()
	defer f.pages.mu.Unlock()
	if len(f.pages.list) != 2 {
		t.Errorf("%d pages", len(f.pages.list))
	}
}
