package report

import (
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

func TestAReportIsOfTheSLOsOfOnesNamespaces(t *testing.T) {
	docs := strings.Replace(availability("edge", "99.9"), "{team: edge}", "{team: edge, namespace: pay}", 1) + availability("batch", "99")
	w := newWorld(t, utc(2026, 10, 11, 0, 0), docs)
	req := paper.Request{Period: "2026-09", AsOf: w.now, Months: 1, Audience: "customer"}
	for _, c := range []struct {
		namespaces []string
		want       int
	}{{nil, 2}, {[]string{"pay"}, 1}, {[]string{"trade"}, 0}, {[]string{}, 0}} {
		req.Namespaces = c.namespaces
		r, err := w.room.Report(t.Context(), req)
		if err != nil || r.Counts.SLOs != c.want {
			t.Errorf("%+v: %d SLOs, want %d: %v", c.namespaces, r.Counts.SLOs, c.want, err)
		}
	}
}
