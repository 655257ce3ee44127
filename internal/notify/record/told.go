package record

import (
	"context"
	"errors"
	"maps"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

// openWithin is how long a message waits for its page, without which it goes out without a link.
const openWithin = 2 * time.Second

// linked says whether people read what a channel sends as a message. Where another pager stands behind it, a page is acknowledged there.
func linked(channel string) bool {
	switch channel {
	case "pagerduty", "opsgenie", "victorops", "incidentio", "jira", "sns":
		return false
	}
	return true
}

// tell is what a channel is given: the alerts with a link to acknowledge their page, for one that somebody could still take.
func (c channel) tell(ctx context.Context, alerts []*amalert.Alert) []*amalert.Alert {
	link := ""
	if now := c.r.now(); c.r.link != nil && linked(c.next.Name()) && aboutWork(alerts) && !allResolved(alerts, now) {
		var err error
		if link, err = c.r.linkFor(ctx, alerts, c.to, now); err != nil {
			c.r.log.Warn("a message goes out without its link to acknowledge", "channel", c.next.String(), "err", err)
		}
	}
	out := make([]*amalert.Alert, len(alerts))
	for i, a := range alerts {
		out[i] = told(a, link)
	}
	return out
}

// told is an alert as a message has it.
func told(a *amalert.Alert, link string) *amalert.Alert {
	if _, brought := a.Annotations[notify.AcknowledgeURL]; !brought && link == "" {
		return a
	}
	to := *a
	to.Annotations = maps.Clone(a.Annotations)
	delete(to.Annotations, notify.AcknowledgeURL)
	if link != "" {
		if to.Annotations == nil {
			to.Annotations = prommodel.LabelSet{}
		}
		to.Annotations[notify.AcknowledgeURL] = prommodel.LabelValue(link)
	}
	return &to
}

// linkFor is "" for a page that somebody has.
func (r *Recorder) linkFor(ctx context.Context, alerts []*amalert.Alert, to notify.Recipient, now time.Time) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	page, err := r.open(ctx, alerts, now)
	if err != nil || page.AckedBy != "" {
		return "", err
	}
	return r.link(page, to)
}

// open is the page of the group's alerts, which begins with the first message that names it.
func (r *Recorder) open(ctx context.Context, alerts []*amalert.Alert, now time.Time) (model.Page, error) {
	key, err := amnotify.ExtractGroupKey(ctx)
	if err != nil {
		return model.Page{}, err
	}
	done, err := r.turns.take(ctx, key.Hash())
	if err != nil {
		return model.Page{}, err
	}
	defer done()
	page, err := r.pages.PageByDedup(ctx, key.Hash())
	if !errors.Is(err, store.ErrNotFound) {
		return page, err
	}
	page = newPage(ctx, key, now)
	describe(&page, alerts, now)
	page.Deliveries = []model.Delivery{}
	return page, r.pages.SavePage(ctx, page)
}

// quietError is a failure whose text may hold what was sent, such as the answer of a webhook that repeats it.
type quietError struct {
	error
	text string
}

// Error implements error.
func (e quietError) Error() string { return e.text }

// Unwrap gives the cause.
func (e quietError) Unwrap() error { return e.error }

// quiet takes secrets out of an error's text, the link to acknowledge among them.
func quiet(err error) error {
	if err == nil {
		return nil
	}
	if text := redact.Text(err.Error()); text != err.Error() {
		return quietError{err, text}
	}
	return err
}
