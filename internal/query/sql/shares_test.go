package sql

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestOneCallerLeavesASlotToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := func(subject string, kind access.Kind) context.Context {
			return access.With(t.Context(), &access.Access{Identity: access.Identity{Subject: subject, Kind: kind}})
		}
		s := newShares(3)
		var releases []func()
		take := func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			release, err := s.take(ctx)
			if err == nil {
				releases = append(releases, release)
			}
			return err
		}
		for n := range 2 {
			if err := take(as("user:ann", access.User)); err != nil {
				t.Fatalf("query %d: %v", n, err)
			}
		}
		if err := take(as("user:ann", access.User)); err == nil {
			t.Error("one caller took every slot")
		}
		for _, ctx := range []context.Context{as("user:bob", access.User), t.Context(), as("", access.Nobody), as("", access.Nobody), as("", access.Nobody)} {
			if err := take(ctx); err != nil {
				t.Errorf("somebody else: %v", err)
			}
		}
		releases[0]()
		releases = releases[1:]
		if err := take(as("user:ann", access.User)); err != nil {
			t.Errorf("after one of hers ended: %v", err)
		}
		for _, release := range releases {
			release()
		}
		if len(s.of) != 0 {
			t.Errorf("%d callers are remembered who ask nothing", len(s.of))
		}
	})
	if newShares(1).each != 1 {
		t.Error("with one slot nobody may ask")
	}
}
