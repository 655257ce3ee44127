package diagnose

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestSummarizePages(t *testing.T) {
	now := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	at := func(h, m int) time.Time { return time.Date(2026, 11, 21, h, m, 0, 0, time.UTC) }
	acked := at(14, 5)
	page := func(title string, sent time.Time, status string, ack *time.Time) model.Page {
		return model.Page{Severity: "critical", Title: title, Time: sent, Status: status, Receiver: "primary", AckedAt: ack, AckedBy: "mia"}
	}
	warning := func(p model.Page) model.Page {
		p.Severity = "warning"
		return p
	}
	for _, tc := range []struct {
		name  string
		pages []model.Page
		want  string
	}{
		{"there was none", nil, "Nobody was paged."},
		{"one waits", []model.Page{page("Edge burns.", at(14, 3), "firing", nil)}, "Edge burns was sent to primary at 14:03 UTC; nobody has acknowledged it yet."},
		{"one is acknowledged", []model.Page{page("Edge burns", at(14, 3), "firing", &acked)}, "Edge burns was sent to primary at 14:03 UTC and acknowledged by mia at 14:05 UTC."},
		{
			"one that waits comes before a newer acknowledged one",
			[]model.Page{page("B", at(14, 3), "firing", &acked), page("A", at(13, 0), "firing", nil)},
			"A was sent to primary at 13:00 UTC; nobody has acknowledged it yet.",
		},
		{
			"several wait",
			[]model.Page{page("B", at(14, 3), "firing", nil), page("A", at(13, 0), "firing", nil)},
			"B was sent to primary at 14:03 UTC; nobody has acknowledged it yet. 2 pages wait for somebody.",
		},
		{
			"warnings wait for nobody",
			[]model.Page{warning(page("W", at(14, 9), "firing", nil)), page("B", at(14, 3), "firing", nil), warning(page("V", at(13, 0), "firing", nil))},
			"B was sent to primary at 14:03 UTC; nobody has acknowledged it yet. Besides, 2 warnings are in their channels.",
		},
		{"there are only warnings", []model.Page{warning(page("W", at(14, 9), "firing", nil))}, "No page is open; 1 warning is in its channel."},
		{
			"all is over, the last one yesterday",
			[]model.Page{page("A", at(13, 0).AddDate(0, 0, -1), "resolved", nil)},
			"No page is open. The last one, A, was sent at 20 Nov 13:00 UTC and is resolved.",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (&Diagnoser{}).SummarizePages(tc.pages, now); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
