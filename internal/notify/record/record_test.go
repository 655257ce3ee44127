package record

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type pages struct {
	list []model.Page
	fail error
}

func (p *pages) SavePage(_ context.Context, page model.Page) error {
	if p.fail != nil {
		return p.fail
	}
	for i := range p.list {
		if p.list[i].ID == page.ID {
			p.list[i] = page
			return nil
		}
	}
	p.list = append(p.list, page)
	return nil
}

func (p *pages) Page(_ context.Context, id string) (model.Page, error) {
	for _, page := range p.list {
		if page.ID == id {
			return page, nil
		}
	}
	return model.Page{}, store.ErrNotFound
}

func (p *pages) PageByDedup(_ context.Context, key string) (model.Page, error) {
	for _, page := range p.list {
		if page.DedupKey == key && page.Status == "firing" {
			return page, nil
		}
	}
	return model.Page{}, store.ErrNotFound
}

type sender struct{ err error }

func (s *sender) Notify(context.Context, ...*amalert.Alert) (bool, error) { return true, s.err }
func (s *sender) SendResolved() bool                                      { return true }

type fixture struct {
	pages   *pages
	hook    *sender
	webhook amnotify.Integration
	inbox   amnotify.Integration
	now     time.Time
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{pages: &pages{}, hook: &sender{}, now: start}
	r, err := New(Deps{Pages: f.pages, Registerer: prometheus.NewRegistry(), Now: func() time.Time { return f.now }})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Integrations("team", []amnotify.Integration{amnotify.NewIntegration(f.hook, f.hook, "webhook", 0, "team")}, func(amnotify.Integration) string { return "" })
	f.webhook, f.inbox = got[0], got[1]
	return f
}

func group() context.Context {
	ctx := amnotify.WithGroupKey(context.Background(), `{}:{service="edge"}`)
	ctx = amnotify.WithGroupLabels(ctx, prommodel.LabelSet{"service": "edge"})
	return amnotify.WithReceiverName(ctx, "team")
}

func alert(severity string, end time.Time) *amalert.Alert {
	return &amalert.Alert{Alert: prommodel.Alert{
		Labels:      prommodel.LabelSet{"alertname": "Burn", "service": "edge", "env": "prod", "region": "eu-1", "severity": prommodel.LabelValue(severity)},
		Annotations: prommodel.LabelSet{"summary": "Edge burns."},
		StartsAt:    start, EndsAt: end,
	}}
}

func TestAPageOpensCollectsItsDeliveriesAndCloses(t *testing.T) {
	f, ctx := setup(t), group()
	if _, err := f.webhook.Notify(ctx, alert("critical", time.Time{})); err != nil {
		t.Fatal(err)
	}
	if retry, err := f.inbox.Notify(ctx, alert("critical", time.Time{}), alert("warning", time.Time{})); err != nil || retry {
		t.Fatal(retry, err)
	}
	if len(f.pages.list) != 1 {
		t.Fatalf("%d pages, want 1 for one group", len(f.pages.list))
	}
	p := f.pages.list[0]
	if p.Title != "Burn on edge (prod, eu-1) and 1 more" || p.Severity != "critical" || p.Service != "edge" || p.Summary != "Edge burns." ||
		p.Receiver != "team" || p.GroupLabels["service"] != "edge" || p.Status != "firing" || len(p.Alerts) != 2 || len(p.Deliveries) != 2 {
		t.Errorf("page %+v", p)
	}
	key, _ := amnotify.ExtractGroupKey(ctx)
	if p.DedupKey != key.Hash() {
		t.Error("the dedup key is not the one PagerDuty is sent")
	}

	f.now = start.Add(time.Minute)
	ended := alert("critical", start.Add(30*time.Second))
	if _, err := f.inbox.Notify(ctx, ended); err != nil {
		t.Fatal(err)
	}
	if _, err := f.webhook.Notify(ctx, ended); err != nil { // later than the inbox
		t.Fatal(err)
	}
	p = f.pages.list[0]
	if p.Status != "resolved" || p.ResolvedAt == nil || p.Alerts[0].Status != "resolved" || p.Alerts[0].EndsAt == nil || len(p.Deliveries) != 4 {
		t.Errorf("closed page %+v", p)
	}

	f.now = start.Add(time.Hour)
	if _, err := f.inbox.Notify(ctx, alert("critical", time.Time{})); err != nil {
		t.Fatal(err)
	}
	if len(f.pages.list) != 2 || f.pages.list[1].DedupKey != p.DedupKey || f.pages.list[1].ID == p.ID {
		t.Errorf("a second incident of the group: %+v", f.pages.list)
	}
}

func TestTheWebhookAloneDoesNotCloseThePage(t *testing.T) {
	f, ctx := setup(t), group()
	_, _ = f.inbox.Notify(ctx, alert("critical", time.Time{}))
	f.now = start.Add(time.Minute)
	_, _ = f.webhook.Notify(ctx, alert("critical", start))
	if p := f.pages.list[0]; p.Status != "firing" {
		t.Errorf("status %s before the inbox was told", p.Status)
	}
}

func TestAnOutageOfAChannelIsOneEntryThatCounts(t *testing.T) {
	f, ctx := setup(t), group()
	f.hook.err = errors.New(strings.Repeat("refused ", 200))
	for range 5 {
		if retry, err := f.webhook.Notify(ctx, alert("critical", time.Time{})); err == nil || !retry {
			t.Fatal("the failure was swallowed")
		}
	}
	f.hook.err = nil
	_, _ = f.webhook.Notify(ctx, alert("critical", time.Time{}))
	log := f.pages.list[0].Deliveries
	if len(log) != 2 || log[0].Status != "failed" || log[0].Attempt != 5 || len(log[0].Error) > maxError+10 ||
		log[1].Status != "delivered" || log[1].Attempt != 6 || log[1].Channel != "webhook[0]" {
		t.Errorf("log %+v", log)
	}
}

func TestAFailingStoreHoldsUpTheInboxOnly(t *testing.T) {
	f, ctx := setup(t), group()
	f.pages.fail = errors.New("disk")
	if _, err := f.webhook.Notify(ctx, alert("critical", time.Time{})); err != nil {
		t.Errorf("the webhook failed with the store: %v", err)
	}
	if retry, err := f.inbox.Notify(ctx, alert("critical", time.Time{})); err == nil || !retry {
		t.Error("the inbox must be tried again")
	}
}

func TestTheWatchdogMakesNoPage(t *testing.T) {
	f, ctx := setup(t), group()
	_, _ = f.webhook.Notify(ctx, alert(notify.SeverityNone, time.Time{}))
	_, _ = f.inbox.Notify(ctx, alert(notify.SeverityNone, time.Time{}))
	if len(f.pages.list) != 0 {
		t.Errorf("pages %+v", f.pages.list)
	}
}

func TestAnEndWithoutABeginningMakesNoPage(t *testing.T) {
	f, ctx := setup(t), group()
	f.now = start.Add(time.Hour)
	_, _ = f.inbox.Notify(ctx, alert("critical", start))
	if len(f.pages.list) != 0 {
		t.Errorf("pages %+v", f.pages.list)
	}
}

func TestADeliveryLogKeepsItsFirstAndItsNewestEntries(t *testing.T) {
	var log []model.Delivery
	for i := range maxDeliveries * 2 {
		log = addDelivery(log, "webhook[0]", nil, start.Add(time.Duration(i)*time.Second))
	}
	if len(log) != maxDeliveries || !log[0].Time.Equal(start) || !log[maxDeliveries-1].Time.Equal(start.Add(time.Duration(maxDeliveries*2-1)*time.Second)) {
		t.Errorf("%d entries from %s to %s", len(log), log[0].Time, log[len(log)-1].Time)
	}
}

// slowPages hangs on the pages of one group.
type slowPages struct {
	*pages
	key     string
	asked   chan struct{}
	release chan struct{}
}

func (s slowPages) PageByDedup(ctx context.Context, key string) (model.Page, error) {
	if key == s.key {
		close(s.asked)
		<-s.release
	}
	return s.pages.PageByDedup(ctx, key)
}

func TestAGroupDoesNotWaitForTheStoreOfAnother(t *testing.T) {
	slow := slowPages{pages: &pages{}, key: amnotify.Key("slow").Hash(), asked: make(chan struct{}), release: make(chan struct{})}
	r, err := New(Deps{Pages: slow})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- r.record(amnotify.WithGroupKey(context.Background(), "slow"), notify.InboxChannel, nil, []*amalert.Alert{alert("page", time.Now().Add(time.Hour))})
	}()
	<-slow.asked
	if err := r.record(amnotify.WithGroupKey(context.Background(), "other"), notify.InboxChannel, nil, []*amalert.Alert{alert("page", time.Now().Add(time.Hour))}); err != nil {
		t.Fatal(err)
	}
	close(slow.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
