package hook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	promconfig "github.com/prometheus/common/config"
	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
)

// Config is how replies are sent.
type Config struct {
	// Timeout bounds one attempt to send a reply.
	Timeout prom.Duration `yaml:"timeout"`
	// Attempts is how often a reply is tried.
	Attempts int `yaml:"attempts"`
	// Backoff is the pause before the second attempt; it doubles each time.
	Backoff prom.Duration `yaml:"backoff"`
}

// DefaultConfig tries for about a minute.
func DefaultConfig() Config {
	return Config{Timeout: prom.Duration(10 * time.Second), Attempts: 6, Backoff: prom.Duration(2 * time.Second)}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be > 0, got %s", c.Timeout))
	}
	if c.Attempts < 1 || c.Attempts > 20 {
		errs = append(errs, fmt.Errorf("attempts: must be 1 to 20, got %d", c.Attempts))
	}
	if c.Backoff <= 0 {
		errs = append(errs, fmt.Errorf("backoff: must be > 0, got %s", c.Backoff))
	}
	return errs
}

const (
	maxWaiting = 256
	senders    = 4
	lastChance = 5 * time.Second // to send what waits when the process stops
)

// Reply is an answer that is sent to another system after the request that
// asked for it was answered.
type Reply struct {
	Hook     string
	Decision model.GateDecision
	// Target says in words where the reply goes, for log and audit.
	Target string
	Send   func(ctx context.Context) (outcall.Response, error)
	// Failed is called when the reply could not be sent.
	Failed func()
}

// Reply queues a reply; the error is a RefusalError with 503 when too many wait.
func (k *Kit) Reply(r Reply) error {
	select {
	case k.replies <- r:
		return nil
	default:
		k.metrics.replies.WithLabelValues(r.Hook, "failed").Inc()
		return &RefusalError{Status: http.StatusServiceUnavailable, Code: "overloaded", Message: "too many replies wait to be sent; send the event again"}
	}
}

// Run sends replies until ctx is done; what is being sent or waits then has a
// few seconds more.
func (k *Kit) Run(ctx context.Context) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastChance, cancel) })
	defer stop()
	var group sync.WaitGroup
	for range senders {
		group.Go(func() { k.send(ctx, sending) })
	}
	group.Wait()
	return nil
}

func (k *Kit) send(ctx, sending context.Context) {
	for {
		select {
		case r := <-k.replies:
			k.carryOut(sending, r)
			continue
		default:
		}
		select {
		case r := <-k.replies:
			k.carryOut(sending, r)
		case <-ctx.Done():
			if len(k.replies) == 0 {
				return
			}
		}
	}
}

func (k *Kit) carryOut(ctx context.Context, r Reply) {
	resp, err := r.Send(ctx)
	// The entry is written although the process may be stopping.
	ctx = context.WithoutCancel(ctx)
	outcome, details := "sent", map[string]string{
		"decision": r.Decision.ID, "verdict": string(r.Decision.Verdict), "service": r.Decision.Request.Service,
		"hook": r.Hook, "attempts": strconv.Itoa(resp.Attempts),
	}
	if err != nil {
		outcome, details["error"] = "failed", err.Error()
		k.deps.Logger.ErrorContext(ctx, "reply could not be sent", "hook", r.Hook, "target", r.Target, "decision", r.Decision.ID, "attempts", resp.Attempts, "err", err)
		if r.Failed != nil {
			r.Failed()
		}
	} else {
		k.deps.Logger.InfoContext(ctx, "reply sent", "hook", r.Hook, "target", r.Target, "decision", r.Decision.ID, "verdict", string(r.Decision.Verdict))
	}
	details["outcome"] = outcome
	k.metrics.replies.WithLabelValues(r.Hook, outcome).Inc()
	k.audit(ctx, model.AuditEntry{Actor: "signalbox", Action: "hook.reply", Subject: r.Target, Details: details})
}

// Client calls the API below base as the configuration says; client says what is shown and trusted there, and may be nil.
func (k *Kit) Client(base *url.URL, client *promconfig.HTTPClientConfig, name string) (*outcall.Client, error) {
	c, err := k.deps.Outgoing.Client(client, name)
	if err != nil {
		return nil, fmt.Errorf("http_config: %w", err)
	}
	return &outcall.Client{
		Base: base, Transport: c.Transport, Attempts: k.cfg.Attempts, Timeout: time.Duration(k.cfg.Timeout), Backoff: time.Duration(k.cfg.Backoff),
	}, nil
}

// BaseURL parses the address of an API.
func BaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("must be an absolute http or https URL without user, query and fragment, got " + strconv.Quote(text))
	}
	return u, nil
}
