package kind_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

func TestMessagesAboutOnePageToOnePlaceWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := kind.NewOneAtATime()
		m := notify.Message{DedupKey: "k", To: notify.Target{Address: "a"}}
		leave, err := o.Enter(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan error, 1)
		go func() {
			_, err := o.Enter(ctx, m)
			second <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		leave()
		if leave, err = o.Enter(t.Context(), m); err != nil {
			t.Error(err)
		}
		leave()
		// Others wait for nobody.
		if leave, err = o.Enter(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			end, err := o.Enter(t.Context(), notify.Message{DedupKey: strconv.Itoa(i), To: m.To})
			if err != nil {
				t.Fatal(err)
			}
			defer end()
		}
		leave()
	})
}
