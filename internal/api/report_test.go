package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

func TestReportsAreAskedForByPeriodOrTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int, zone *time.Location) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, zone) }
	for _, c := range []struct {
		name, query string
		want        paper.Request
	}{
		{"the last month where nothing is said", "", paper.Request{Period: "last-month", Zone: time.UTC}},
		{"a month in a zone", "period=2026-10&time_zone=Europe/Berlin&audience=internal&months=3", paper.Request{Period: "2026-10", Zone: berlin, Audience: "internal", Months: 3}},
		{"days in a zone", "start=2026-11-01&end=2026-11-08&time_zone=Europe/Berlin", paper.Request{Start: day(1, berlin), End: day(8, berlin), Zone: berlin}},
		{"until now", "start=2026-11-01", paper.Request{Start: day(1, time.UTC), End: now, Zone: time.UTC}},
		{"selected", "service=edge&slo=edge-ok&team=a&as_of=2026-11-20", paper.Request{Period: "last-month", Zone: time.UTC, Service: "edge", SLO: "edge-ok", Team: "a", AsOf: day(20, time.UTC)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &rooms{}
			rec := get(newAPI(t, f), "/sb/v1/report?"+c.query)
			if rec.Code != http.StatusOK {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			want := c.want
			if want.Audience == "" {
				want.Audience = "customer"
			}
			if want.Months == 0 {
				want.Months = 6
			}
			if want.AsOf.IsZero() {
				want.AsOf = now
			}
			byText := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
			if diff := cmp.Diff(want, f.report, byText); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReportIsAFileWhereThatHelps(t *testing.T) {
	a := newAPI(t, &rooms{})
	for _, c := range []struct{ query, contentType, disposition string }{
		{"", "text/json", ""},
		{"format=text", "text/text", ""},
		{"format=md", "text/md", `attachment; filename="report.md"`},
		{"format=csv&audience=internal", "text/csv", `attachment; filename="report.csv"`},
		{"format=json&download=true", "text/json", `attachment; filename="report.json"`},
	} {
		rec := get(a, "/sb/v1/report?"+c.query)
		if got := rec.Header().Get("Content-Disposition"); got != c.disposition {
			t.Errorf("%s: disposition %q", c.query, got)
		}
		if got := rec.Header().Get("Content-Type"); got != c.contentType || !strings.HasPrefix(rec.Body.String(), "Service levels for ") {
			t.Errorf("%s: %q %s", c.query, got, rec.Body)
		}
	}
}

func TestReportsThatCannotBeMade(t *testing.T) {
	for _, c := range []struct {
		query  string
		status int
		want   string
	}{
		{"period=2026-10&start=2026-10-01", 400, "either a period or start and end"},
		{"end=2026-10-01", 400, "start: missing"},
		{"start=soon", 400, `start: \"soon\" is not a time`},
		{"time_zone=Mars/Base", 400, "not in the IANA database"},
		{"time_zone=Local", 400, "not in the IANA database"},
		{"audience=bob", 400, "customer, internal"},
		{"format=pdf", 400, "query.format"},
		{"months=0", 400, "query.months"},
		{"period=2027-01", 400, "nothing has happened in it yet"},
	} {
		rec := get(newAPI(t, &rooms{}), "/sb/v1/report?"+c.query)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.query, rec.Code, rec.Body)
		}
	}
	if rec := get(newAPI(t, &rooms{err: errBroken}), "/sb/v1/report"); rec.Code != 500 || strings.Contains(rec.Body.String(), "rack 7") {
		t.Errorf("a failure: %d %s", rec.Code, rec.Body)
	}
	a, err := New(DefaultConfig(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sb/v1/report", "/sb/v1/report/rules"} {
		if rec := get(a, path); rec.Code != 404 {
			t.Errorf("where %s is not served: %d", path, rec.Code)
		}
	}
}
