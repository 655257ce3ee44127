package app

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// quotaEvery is how often a tenant's files are summed where it may only have so many bytes.
const quotaEvery = 15 * time.Second

// quotaNotice is the share of its quota at which a tenant is told.
const quotaNotice = 0.8

// quota is what a tenant has on disk of what it may have.
type quota struct {
	most int64 // 0 is no bound
	used atomic.Int64
}

// buildQuota bounds what the tenant has on disk. It is a bound of what is sent: what is kept goes with retention alone.
func (c *cell) buildQuota(context.Context) error {
	if c.quota.most = c.named.Limits.MaxDiskBytes; c.quota.most == 0 {
		return nil
	}
	c.measureDisk()
	c.run("disk quota", func(ctx context.Context) error {
		tick := time.NewTicker(quotaEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.measureDisk()
			case <-ctx.Done():
				return nil
			}
		}
	}, nil)
	return nil
}

func (c *cell) measureDisk() {
	var sum int64
	for _, store := range storeFolders() {
		sum += below(filepath.Join(c.dir, store))
	}
	c.quota.used.Store(sum)
}

// share is how much of the quota is used; 0 without one.
func (q *quota) share() float64 {
	if q.most == 0 {
		return 0
	}
	return float64(q.used.Load()) / float64(q.most)
}

// refuses says why a request is not taken.
func (c *cell) refuses(a *access.Access) *front.Refusal {
	if a.Needs != access.TelemetryWrite || c.quota.share() < 1 {
		return nil
	}
	return &front.Refusal{
		Status: http.StatusTooManyRequests, Reason: "tenant_disk", RetryAfter: 60,
		Message: fmt.Sprintf("the tenant %s has %d bytes on disk, and may have %d: wait until its retention makes room, shorten that, or have limits.max_disk_bytes raised",
			c.tenant, c.quota.used.Load(), c.quota.most),
	}
}

// problems tells of a quota before it is used up.
func (c *cell) quotaProblems() []model.Problem {
	share := c.quota.share()
	if share < quotaNotice {
		return nil
	}
	p := model.Problem{
		Severity: "warning", Message: fmt.Sprintf("The tenant %s has %d of the %d bytes on disk that it may have; at 100 %% what it sends is refused.", c.tenant, c.quota.used.Load(), c.quota.most),
		Cure: "Shorten its retention, send less, or raise limits.max_disk_bytes of the tenant and reload.",
	}
	if share >= 1 {
		p.Severity = "critical"
		p.Message = fmt.Sprintf("The tenant %s has %d bytes on disk and may have %d: what it sends is refused with 429.", c.tenant, c.quota.used.Load(), c.quota.most)
	}
	return []model.Problem{p}
}
