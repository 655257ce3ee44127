package hook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestErrorsAreAnsweredByWhoseFaultTheyAre(t *testing.T) {
	_, kit := hooktest.New(t, model.VerdictAllow)
	for _, c := range []struct {
		err  error
		want int
		text string
	}{
		{hook.Missing("service"), 400, "service: missing"},
		{hook.Unauthorized("no"), 401, "no"},
		{fmt.Errorf("write: %w", store.ErrReadOnly), 503, "none is made"},
		{errors.New("password=hunter2"), 500, "the log of Signalbox"},
	} {
		h := kit.Handle("x", func(*http.Request, []byte) (hook.Answer, error) { return hook.Answer{}, c.err })
		status, answer := hooktest.Serve(t, h, "POST", "/", "{}", nil)
		if status != c.want || !strings.Contains(answer, c.text) || strings.Contains(answer, "hunter2") {
			t.Errorf("%v: %d %s", c.err, status, answer)
		}
	}
	h := kit.Handle("x", func(*http.Request, []byte) (hook.Answer, error) { return hook.Answer{}, nil })
	if status, answer := hooktest.Serve(t, h, "POST", "/", strings.Repeat("x", hook.MaxBody+1), nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d %s", status, answer)
	}
}

func TestRepliesAreBoundedAndSentWhenTheProcessStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, kit := hooktest.New(t, model.VerdictAllow)
		sent, queued := 0, 0
		one := make(chan struct{}, 1)
		reply := hook.Reply{Hook: "x", Send: func(ctx context.Context) (outcall.Response, error) {
			one <- struct{}{}
			defer func() { <-one }()
			if ctx.Err() == nil {
				sent++
			}
			return outcall.Response{}, ctx.Err()
		}}
		var err error
		for err == nil && queued < 10_000 {
			if err = kit.Reply(reply); err == nil {
				queued++
			}
		}
		var refusal *hook.RefusalError
		if !errors.As(err, &refusal) || refusal.Status != http.StatusServiceUnavailable {
			t.Fatalf("after %d: %v", queued, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := kit.Run(ctx); err != nil || sent != queued {
			t.Errorf("%d of %d were sent, %v", sent, queued, err)
		}
	})
}

func TestAReplyThatNeverEndsDoesNotHoldBackTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rooms, kit := hooktest.New(t, model.VerdictAllow)
		if err := kit.Reply(hook.Reply{Hook: "x", Send: func(ctx context.Context) (outcall.Response, error) {
			<-ctx.Done()
			return outcall.Response{}, ctx.Err()
		}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- kit.Run(ctx) }()
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("stopped after %s, %v", time.Since(began), err)
		}
		if a := rooms.Audited(); len(a) != 1 || a[0].Details["outcome"] != "failed" {
			t.Errorf("audit %+v", a)
		}
	})
}

func TestReplaysAreRememberedForADay(t *testing.T) {
	var r hook.Replay
	now := hooktest.Now()
	if !r.First(now, "a", "b") || r.First(now, "c", "b") || r.First(now.Add(23*time.Hour), "a") {
		t.Error("a replay was taken for new")
	}
	if !r.First(now.Add(25*time.Hour), "a") {
		t.Error("remembered for too long")
	}
	r.Forget("a")
	if !r.First(now.Add(25*time.Hour), "a") {
		t.Error("not forgotten")
	}
	for i := range 50_000 {
		r.First(now.Add(26*time.Hour+time.Duration(i)*time.Millisecond), strconv.Itoa(i))
	}
	if r.First(now.Add(27*time.Hour), "49999") {
		t.Error("the newest was forgotten in a flood")
	}
}
