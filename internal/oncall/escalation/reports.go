package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// reportKind is of the documents that say what became of a message after its service took it. They are documents of their own, so that they never meet
// a write of the engine, and may come before it wrote down what the service called the message.
const reportKind = "escalation.report"

// report is such a document.
type report struct {
	Arrived bool   `json:"arrived"`
	Note    string `json:"note"`
}

func reportID(page, channel, receipt string) string { return page + ":" + channel + ":" + receipt }

// reported says of which channels services tell later whether a message arrived.
func reported(channel string) bool { return channel == "sms" || channel == "voice" }

// Report takes what a service says became of a message: where it did not arrive, the next contact is tried at once.
func (e *Engine) Report(ctx context.Context, page string, r notify.Report) error {
	if _, _, known, err := e.load(ctx, page); err != nil || !known {
		return err // nothing is kept of what nobody waits for
	}
	body, err := json.Marshal(report{r.Arrived, clip(r.Note)})
	if err != nil {
		return err
	}
	_, err = e.deps.Documents.SaveDocuments(ctx, store.Document{Kind: reportKind, ID: reportID(page, r.Channel, r.Receipt), Time: e.now(), Body: body})
	if errors.Is(err, store.ErrChanged) {
		return nil // the first one stands: services say it again
	}
	e.nudge(page, time.Time{})
	return err
}

// reports writes down what services said of messages that they had taken.
func (t *turn) reports(ctx context.Context) error {
	var gone []Try
	for i := range t.rec.Tries {
		try := &t.rec.Tries[i]
		if try.State != delivered || try.Receipt == "" || try.Reported || !reported(try.Channel) {
			continue
		}
		d, err := t.e.deps.Documents.Document(ctx, reportKind, reportID(t.rec.Page, try.Channel, try.Receipt))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		var r report
		if err == nil {
			err = json.Unmarshal(d.Body, &r)
		}
		if err != nil {
			return fmt.Errorf("read what became of a message: %w", err)
		}
		try.Reported, try.Note = true, r.Note
		if !r.Arrived {
			try.State, try.At = failed, t.now.UTC()
			t.rec.say(t.now, "the message to %s did not arrive: %s", try.who(), r.Note)
			gone = append(gone, *try)
		}
	}
	if t.page.AckedBy != "" || t.page.Status == "resolved" || t.rec.State == Silenced {
		return nil
	}
	for _, try := range gone {
		t.failOver(try)
	}
	return nil
}
