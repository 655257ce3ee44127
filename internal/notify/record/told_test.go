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

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// heard is a channel that keeps what it was given.
type heard struct {
	got  []*amalert.Alert
	fail error
}

func (h *heard) Notify(_ context.Context, alerts ...*amalert.Alert) (bool, error) {
	h.got = alerts
	return true, h.fail
}
func (h *heard) SendResolved() bool { return true }

func linking(t *testing.T, kind string) (send func(...*amalert.Alert) error, h *heard, st *pages) {
	t.Helper()
	h, st = &heard{}, &pages{}
	r, err := New(Deps{
		Pages: st, Registerer: prometheus.NewRegistry(), Now: func() time.Time { return start.Add(time.Minute) },
		Link: func(p model.Page, to notify.Recipient) (string, error) {
			return "https://sb.example/auth/page?token=" + p.ID + "." + to.Channel + "." + to.Receiver + "." + to.Address, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Integrations("team", []amnotify.Integration{amnotify.NewIntegration(h, h, kind, 0, "team")}, func(amnotify.Integration) string { return "ann@x.example" })[0]
	return func(alerts ...*amalert.Alert) error {
		_, err := c.Notify(group(), alerts...)
		return err
	}, h, st
}

func link(a *amalert.Alert) string { return string(a.Annotations[notify.AcknowledgeURL]) }

func TestAMessageSaysWhereItsPageIsAcknowledged(t *testing.T) {
	send, h, st := linking(t, "email")
	firing, ended := alert("critical", time.Time{}), alert("critical", start)
	if err := send(firing, ended); err != nil {
		t.Fatal(err)
	}
	p := st.list[0]
	want := "https://sb.example/auth/page?token=" + p.ID + ".email.team.ann@x.example"
	if link(h.got[0]) != want || link(h.got[1]) != want || h.got[0].Annotations["summary"] != "Edge burns." {
		t.Errorf("%q %q", link(h.got[0]), link(h.got[1]))
	}
	if link(firing) != "" || p.Alerts[0].Annotations[notify.AcknowledgeURL] != "" || len(p.Deliveries) != 1 {
		t.Error("the link is kept with the alert or the page")
	}
	if err := send(firing); err != nil || len(st.list) != 1 || link(h.got[0]) != want {
		t.Errorf("again: %v, %d pages, %q", err, len(st.list), link(h.got[0]))
	}
	st.list[0].AckedBy = "user:ann"
	if err := send(firing); err != nil || link(h.got[0]) != "" {
		t.Errorf("somebody has it: %v, %q", err, link(h.got[0]))
	}
	if err := send(ended); err != nil || link(h.got[0]) != "" {
		t.Errorf("it is over: %v, %q", err, link(h.got[0]))
	}
}

func TestNoOtherLinkIsTakenForOurs(t *testing.T) {
	forged := alert("critical", time.Time{})
	forged.Annotations[notify.AcknowledgeURL] = "https://evil.example/"
	send, h, _ := linking(t, "pagerduty") // has pages of its own
	if err := send(forged); err != nil || link(h.got[0]) != "" || link(forged) == "" {
		t.Errorf("%v: %q", err, link(h.got[0]))
	}
	send, h, _ = linking(t, "slack")
	if err := send(forged); err != nil || !strings.HasPrefix(link(h.got[0]), "https://sb.example/") {
		t.Errorf("%v: %q", err, link(h.got[0]))
	}
	nobody := alert(notify.SeverityNone, time.Time{})
	if err := send(nobody); err != nil || link(h.got[0]) != "" {
		t.Errorf("what is nobody's work: %v: %q", err, link(h.got[0]))
	}
}

func TestAMessageGoesOutAlsoWithoutItsLink(t *testing.T) {
	send, h, st := linking(t, "webhook")
	st.fail = errors.New("the disk is full")
	if err := send(alert("critical", time.Time{})); err != nil || len(h.got) != 1 || link(h.got[0]) != "" {
		t.Errorf("%v: %v", err, h.got)
	}
}

// A receiver that repeats in its error what it was sent does not bring the link into the log or the page.
func TestAFailureDoesNotTellTheLink(t *testing.T) {
	send, h, st := linking(t, "webhook")
	cause := errors.New("unexpected status code 400: {\"acknowledge_url\":\"https://sb.example/auth/page?token=SECRET\"}")
	h.fail = cause
	err := send(alert("critical", time.Time{}))
	if !errors.Is(err, cause) || strings.Contains(err.Error(), "SECRET") || strings.Contains(st.list[0].Deliveries[0].Error, "SECRET") {
		t.Errorf("%v; %+v", err, st.list[0].Deliveries)
	}
}
