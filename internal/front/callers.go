package front

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/signalbox-project/signalbox/internal/access"
)

// CallersConfig bounds what each who asks may have answered at once; 0 is no bound.
type CallersConfig struct {
	// HeavyAtOnce are backtests, reports, SQL and exports of one identity.
	HeavyAtOnce int `yaml:"heavy_at_once"`
	// HeavyPerMinute is how many of them one identity may begin.
	HeavyPerMinute int `yaml:"heavy_per_minute"`
	// QuestionsAtOnce are queries and searches of one identity.
	QuestionsAtOnce int `yaml:"questions_at_once"`
	// TenantHeavyAtOnce is how many of the heavy ones all callers of a tenant have together.
	TenantHeavyAtOnce int `yaml:"tenant_heavy_at_once"`
	// TenantQuestionsAtOnce is how many queries and searches they have together.
	TenantQuestionsAtOnce int `yaml:"tenant_questions_at_once"`
}

func (c CallersConfig) validate() []error {
	var errs []error
	for _, f := range []struct {
		name string
		v    int
	}{
		{"heavy_at_once", c.HeavyAtOnce},
		{"heavy_per_minute", c.HeavyPerMinute},
		{"questions_at_once", c.QuestionsAtOnce},
		{"tenant_heavy_at_once", c.TenantHeavyAtOnce},
		{"tenant_questions_at_once", c.TenantQuestionsAtOnce},
	} {
		if f.v < 0 {
			errs = append(errs, fmt.Errorf("callers.%s: must be 0, which is no bound, or more, got %d", f.name, f.v))
		}
	}
	return errs
}

// rememberRates bounds how many identities' rates are held; who asked longest ago is forgotten first, and begins anew.
const rememberRates = 10_000

// callers holds each identity, and each tenant, to its limits.
type callers struct {
	cfg CallersConfig
	now func() time.Time

	mu      sync.Mutex
	running map[running]int
	rates   *simplelru.LRU[string, *rate.Limiter]
}

// running is what is counted: the work of a kind of an identity or of a tenant.
type running struct {
	work         Work
	tenant, name string // name is "" for the tenant
}

func newCallers(cfg CallersConfig, now func() time.Time) *callers {
	rates, _ := simplelru.NewLRU[string, *rate.Limiter](rememberRates, nil) // fails for a size of 0 alone
	return &callers{cfg: cfg, now: now, running: map[running]int{}, rates: rates}
}

// callerOf is who is held to limits: tokens of a person count as the person, who could make any number of them.
func callerOf(a *access.Access) string {
	if a.Owner != nil {
		return a.Owner.Subject
	}
	return a.Subject
}

// enter begins a request of a caller, or refuses it; done, which is never nil, ends it.
func (c *callers) enter(a *access.Access, needs Needs, r *http.Request) (done func(), refusal *Refusal) {
	work, name := Light, callerOf(a)
	if w, ok := needs.(worker); ok && name != "" {
		work = w.Work(r)
	}
	if work == Light {
		return func() {}, nil
	}
	own, all := running{work, a.Tenant, name}, running{work: work, tenant: a.Tenant}
	atOnce, ofTenant := c.cfg.QuestionsAtOnce, c.cfg.TenantQuestionsAtOnce
	if work == Heavy {
		atOnce, ofTenant = c.cfg.HeavyAtOnce, c.cfg.TenantHeavyAtOnce
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case atOnce > 0 && c.running[own] >= atOnce:
		return func() {}, tooMuch("caller_at_once", 2, fmt.Sprintf("you have %d of these answered already, which is as many as one may at once; wait for one of them (web.callers)", atOnce))
	case ofTenant > 0 && c.running[all] >= ofTenant:
		return func() {}, tooMuch("tenant_at_once", 5, fmt.Sprintf("the tenant %s has %d of these answered already, which is as many as it may at once; try again (web.callers)", a.Tenant, ofTenant))
	}
	if wait := c.pace(work, name); wait > 0 {
		return func() {}, tooMuch("caller_rate", int(math.Ceil(wait.Seconds())), fmt.Sprintf("you began more than %d of these in a minute; wait as long as Retry-After says (web.callers)", c.cfg.HeavyPerMinute))
	}
	c.running[own]++
	c.running[all]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, k := range []running{own, all} {
			if c.running[k]--; c.running[k] == 0 {
				delete(c.running, k)
			}
		}
	}, nil
}

// pace is how long an identity must wait before it begins more work, 0 if it need not; c.mu is held.
func (c *callers) pace(work Work, name string) time.Duration {
	if work != Heavy || c.cfg.HeavyPerMinute == 0 {
		return 0
	}
	l, ok := c.rates.Get(name)
	if !ok {
		l = rate.NewLimiter(rate.Limit(float64(c.cfg.HeavyPerMinute)/60), c.cfg.HeavyPerMinute)
		c.rates.Add(name, l)
	}
	now := c.now()
	next := l.ReserveN(now, 1)
	wait := next.DelayFrom(now)
	if wait > 0 {
		next.CancelAt(now)
	}
	return wait
}

func tooMuch(reason string, after int, message string) *Refusal {
	return &Refusal{Status: http.StatusTooManyRequests, Reason: reason, RetryAfter: after, Message: message}
}
