package record

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestOnlyTheSameKeyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		first, err := all.take(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		other, err := all.take(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		other()
		gone, cancel := context.WithCancel(t.Context())
		given, had := make(chan error, 1), make(chan struct{})
		go func() {
			_, err := all.take(gone, "a")
			given <- err
		}()
		go func() {
			done, err := all.take(context.Background(), "a")
			if err != nil {
				t.Error(err)
			}
			close(had)
			done()
		}()
		synctest.Wait()
		cancel()
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("one that gives up: %v", err)
		}
		select {
		case <-had:
			t.Error("two had their turn at once")
		default:
		}
		first()
		<-had
		synctest.Wait()
		if len(all.queues) != 0 {
			t.Errorf("%d queues are left", len(all.queues))
		}
	})
}
