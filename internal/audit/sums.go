package audit

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	sumEvery = time.Minute
	// maxSums bounds what is told apart within a minute: of a flood from everywhere the rest is one sum.
	maxSums = 4096
)

// sumKey is what requests have in common that are noted together.
type sumKey struct{ action, actor, tenant, subject, remote string }

type sum struct {
	since          time.Time
	requests, bad  int64
	bytes          int64
	status, remote string // of the last
}

func (r *Recorder) add(k sumKey, e front.Ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sums[k]
	if s == nil && len(r.sums) >= maxSums {
		k = sumKey{action: k.action, actor: "others", subject: "more than are told apart in a minute"}
		s = r.sums[k]
	}
	if s == nil {
		s = &sum{since: e.Began.UTC()}
		r.sums[k] = s
	}
	s.requests++
	s.bytes += max(0, e.Request.ContentLength)
	if e.Status >= http.StatusBadRequest {
		s.bad++
	}
	s.status, s.remote = strconv.Itoa(e.Status), e.Access.Remote
}

// Run writes the sums of every minute, and the last ones when it ends.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(sumEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.flush()
			return nil
		case <-tick.C:
			r.flush()
		}
	}
}

func (r *Recorder) flush() {
	r.mu.Lock()
	sums := r.sums
	r.sums = map[sumKey]*sum{}
	r.mu.Unlock()
	for k, s := range sums {
		r.to.Note(model.AuditEntry{
			Time: s.since, Actor: k.actor, Action: k.action, Tenant: k.tenant, Subject: k.subject,
			Details: map[string]string{
				"requests": strconv.FormatInt(s.requests, 10), "failed": strconv.FormatInt(s.bad, 10), "bytes": strconv.FormatInt(s.bytes, 10),
				"last_status": s.status, "remote": s.remote, "until": r.now().UTC().Format(time.RFC3339),
			},
		})
	}
}
