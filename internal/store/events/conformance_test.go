package events

import (
	"context"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store/storetest"
)

// reopenable ends and opens the store again, as a restart does.
type reopenable struct {
	*DB
	reopen func() *reopenable
}

func (r *reopenable) Reopen(*testing.T) storetest.EventStore { return r.reopen() }

// start opens a store in dir; with background work if that is wanted.
func start(t *testing.T, cfg Config, dir string, background bool) *reopenable {
	t.Helper()
	db := open(t, cfg, Deps{Dir: dir, Now: time.Now, Sealer: sealtest.Keys{"a"}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	stop := func() {
		cancel()
		if background {
			<-done
			background = false
		}
	}
	if background {
		go func() { done <- db.Run(ctx) }()
	}
	t.Cleanup(stop)
	again := background
	return &reopenable{DB: db, reopen: func() *reopenable {
		stop()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return start(t, cfg, dir, again)
	}}
}

// Encrypted, since the next one is plain: each run of the contract is dear under the race detector.
func TestAnEncryptedStoreKeepsTheContractOfEventStores(t *testing.T) {
	t.Parallel()
	storetest.Events(t, func(t *testing.T) storetest.EventStore {
		return start(t, encrypted(true), t.TempDir(), false)
	})
}

func TestTheStoreKeepsItsContractWhileSmallHeadsAreSealedAndMerged(t *testing.T) {
	t.Parallel()
	storetest.Events(t, func(t *testing.T) storetest.EventStore {
		return start(t, smallHeads(1000), t.TempDir(), true)
	})
}
