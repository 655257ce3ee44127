package router

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
)

// finish is how long the end of a pipeline waits for notifications that are under way: cut off,
// they may have arrived all the same and would be sent once more.
const finish = 2 * time.Second

// underway is the stage before all others. Alertmanager's dispatcher ends without waiting for its
// groups, so that a notification could be made, and noted, after the log of them was
// written for the last time.
type underway struct {
	next amnotify.Stage

	mu     sync.Mutex
	busy   sync.WaitGroup
	ending bool
}

// Exec implements Alertmanager's Stage.
func (u *underway) Exec(ctx context.Context, log *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
	if !u.begin() {
		<-ctx.Done()
		return ctx, nil, ctx.Err()
	}
	defer u.busy.Done()
	return u.next.Exec(ctx, log, alerts...)
}

func (u *underway) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.ending {
		u.busy.Add(1)
	}
	return !u.ending
}

// end lets nothing more begin, gives what is under way time to finish, and then cuts it off.
func (u *underway) end(cut func()) {
	u.mu.Lock()
	u.ending = true
	u.mu.Unlock()
	done := make(chan struct{})
	go func() {
		u.busy.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(finish):
	}
	cut()
	<-done
}
