package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/config"
)

func TestSettingsAreCutToASmallMemory(t *testing.T) {
	all := config.Default()
	if got := fit(all, 0); got.Events.MaxBytes != all.Events.MaxBytes || got.Query.MaxSamples != all.Query.MaxSamples {
		t.Error("settings were cut without a limit")
	}
	if got := fit(all, 64<<30); got.Events.MaxBytes != all.Events.MaxBytes || got.Query.MaxSamples != all.Query.MaxSamples || got.Web.MaxBodyBytesInFlight != all.Web.MaxBodyBytesInFlight {
		t.Error("settings were cut though there is room")
	}
	if scrapeBody(0) != maxScrapeBody || scrapeBody(64<<30) != maxScrapeBody || scrapeBody(1<<30) >= 64<<20 {
		t.Error("what a target's answer may become does not follow the memory")
	}
	const limit = 600 << 20
	got := fit(all, limit)
	if errs := got.Events.Validate(); len(errs) > 0 {
		t.Errorf("what was cut is invalid: %v", errs)
	}
	queries := int64(got.Query.MaxSamples) * sampleBytes * largeQueries
	if sum := got.Events.MaxBytes + got.Web.MaxBodyBytesInFlight + queries; sum > limit*40/100+1 || sum < limit*35/100 {
		t.Errorf("heads %d, bodies %d and queries %d take %d of %d bytes", got.Events.MaxBytes, got.Web.MaxBodyBytesInFlight, queries, sum, limit)
	}
}

// One series more than may be active is refused with what tells a sender to come again, whatever it speaks; the others of
// its request are stored. A 400 would make it drop what it has.
func TestTooManySeriesAreAskedToComeAgain(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "metrics: {max_series: 1}\n"})
	ts := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "one_too_many"}}, Samples: []prompb.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}}}
	other := ts
	other.Labels = []prompb.Label{{Name: "__name__", Value: "two_too_many"}}
	write, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{ts, other}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	otlp := fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asDouble":1,"timeUnixNano":"%[1]d"}]}},
		{"name":"b","gauge":{"dataPoints":[{"asDouble":1,"timeUnixNano":"%[1]d"}]}}]}]}]}`, time.Now().UnixNano())
	for what, c := range map[string]struct{ url, contentType, encoding, body string }{
		"remote write": {r.Addresses().Web + "/api/v1/write", "application/x-protobuf", "snappy", string(snappy.Encode(nil, write))},
		"OTLP":         {r.Addresses().OTLPHTTP + "/v1/metrics", "application/json", "", otlp},
	} {
		req, err := http.NewRequest(http.MethodPost, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.contentType)
		if c.encoding != "" {
			req.Header.Set("Content-Encoding", c.encoding)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q: %s", what, resp.StatusCode, resp.Header.Get("Retry-After"), text)
		}
	}
}
