package diagnose

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestTheChangeThatCameClosestBeforeIsNamed(t *testing.T) {
	onset := time.Date(2026, 11, 21, 14, 2, 0, 0, time.UTC)
	at := func(d time.Duration, kind, version string) model.Deploy {
		return model.Deploy{Time: onset.Add(d), Kind: kind, Version: version}
	}
	for _, tc := range []struct {
		name    string
		deploys []model.Deploy // newest first
		want    string
	}{
		{"nothing was released", nil, ""},
		{"a release long before has nothing to do with it", []model.Deploy{at(-5*time.Hour, "deploy", "1")}, ""},
		{"the release just before", []model.Deploy{at(-time.Minute, "deploy", "2"), at(-20*time.Minute, "deploy", "1")}, ", right after version 2"},
		{"the rollback that answered it is not the cause", []model.Deploy{at(90*time.Second, "rollback", "1"), at(-30*time.Second, "deploy", "2")}, ", right after version 2"},
		{"a rollback alone may be", []model.Deploy{at(-30*time.Second, "rollback", "1")}, ", right after the rollback to 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := rightAfter(tc.deploys, onset); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAnEpisodeThatIsOverIsStillTold(t *testing.T) {
	f := newFacts(t)
	f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
	released := f.now
	f.traffic(5*time.Minute, time.Minute, "2.4.1", 10, 0.2, 0.05)
	f.traffic(20*time.Minute, time.Minute, "2.4.0", 10, 0.01, 0.05)
	f.deploys = []model.Deploy{{Service: "edge", Version: "2.4.1", Kind: "deploy", Time: released}}
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	want := "All is normal again. Errors reached 20 % from 15:01 UTC to 15:05 UTC, right after version 2.4.1."
	if d.Summary != want {
		t.Errorf("got  %s\nwant %s", d.Summary, want)
	}
}
