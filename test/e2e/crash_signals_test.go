package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/model"
)

// batch is how many samples a number stands for: its request's.
const batch = 25

// slots is how many series a signal has.
const slots = 8

// producers send numbered samples, log records and spans. Samples come in order, with a time
// of their own that is always now, and late, half an hour behind; as numbers and as
// native histograms, whose sum is then the value.
func producers(t *testing.T, epoch time.Time) []*producer {
	now := func() func(int) int64 {
		var last [slots]int64
		return func(n int) int64 { // no two samples of a series at one time
			l := &last[n/batch%slots]
			*l = max(*l+1, time.Now().UnixMilli())
			return *l
		}
	}
	// Close together, so that they fill a few blocks only and compactions end between kills.
	late := func(n int) int64 { return crashTime(epoch, n/(batch*slots)*batch+n%batch).UnixMilli() }
	number := func(s *series, at int64, n int) {
		s.samples = append(s.samples, prompb.Sample{Timestamp: at, Value: float64(n)})
	}
	integers := func(s *series, at int64, n int) {
		h := tsdbutil.GenerateTestHistogram(int64(n % 5))
		h.Sum = float64(n)
		s.histograms = append(s.histograms, prompb.FromIntHistogram(at, h))
	}
	floats := func(s *series, at int64, n int) {
		h := tsdbutil.GenerateTestFloatHistogram(int64(n % 5))
		h.Sum = float64(n)
		s.histograms = append(s.histograms, prompb.FromFloatHistogram(at, h))
	}
	return []*producer{
		sampleProducer(t, "crash_in_order", 1, now(), number),
		sampleProducer(t, "crash_late", 2, late, number),
		sampleProducer(t, "crash_histogram_in_order", 1, now(), integers),
		sampleProducer(t, "crash_histogram_late", 2, late, integers),
		sampleProducer(t, "crash_float_histogram_in_order", 1, now(), floats),
		sampleProducer(t, "crash_float_histogram_late", 2, late, floats),
		{signal: "logs", senders: 2, stored: storedLogs, send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			body := otlpLogs(t, "crash", crashTime(epoch, n), fmt.Sprintf("number %d of logs", n))
			return post(ctx, c, base+"/v1/logs", protobuf, nil, body)
		}},
		{signal: "spans", senders: 2, stored: storedSpans, send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			body := otlpSpans(t, "crash", spanSpec{trace: traceID(n), id: spanID(n), name: fmt.Sprintf("number %d", n), start: crashTime(epoch, n), duration: time.Millisecond})
			return post(ctx, c, base+"/v1/traces", protobuf, nil, body)
		}},
	}
}

func sampleProducer(t *testing.T, name string, senders int, at func(n int) int64, fill func(s *series, at int64, n int)) *producer {
	header := http.Header{"Content-Encoding": {"snappy"}, "X-Prometheus-Remote-Write-Version": {"0.1.0"}}
	return &producer{
		signal: name, senders: senders,
		stored: func(t *testing.T, s *server, _ time.Time) map[int]int { return storedSamples(t, s, name) },
		send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			s := series{labels: []string{"__name__", name, "slot", strconv.Itoa(n % slots)}}
			for i := n * batch; i < (n+1)*batch; i++ {
				fill(&s, at(i), i)
			}
			if len(s.samples) > 0 {
				s.exemplars = []prompb.Exemplar{{
					Labels: []prompb.Label{{Name: "trace_id", Value: fmt.Sprintf("k%d", n)}}, Value: 1, Timestamp: s.samples[0].Timestamp,
				}}
			}
			return post(ctx, c, base+"/api/v1/write", protobuf, header, remoteWrite(t, s))
		},
	}
}

// storedSamples counts the numbers found in the metric store.
func storedSamples(t *testing.T, s *server, name string) map[int]int {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Values     [][2]json.RawMessage `json:"values"`
				Histograms [][2]json.RawMessage `json:"histograms"`
			} `json:"result"`
		} `json:"data"`
	}
	s.get("/api/v1/query", url.Values{"query": {name + "[6h]"}}, &answer)
	found, pieces := map[int]int{}, map[int]int{}
	count := func(raw []byte) {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		pieces[n]++
	}
	for _, r := range answer.Data.Result {
		for _, v := range r.Values {
			count(v[1])
		}
		for _, h := range r.Histograms {
			var value struct {
				Sum json.RawMessage `json:"sum"`
			}
			if err := json.Unmarshal(h[1], &value); err != nil {
				t.Fatal(err)
			}
			count(value.Sum)
		}
	}
	for n := range pieces { // a number is there as often as the rarest of its samples, or the most frequent
		low, high := pieces[n/batch*batch], 0
		for i := n / batch * batch; i < (n/batch+1)*batch; i++ {
			low, high = min(low, pieces[i]), max(high, pieces[i])
		}
		found[n/batch] = low
		if high > 1 {
			found[n/batch] = high
		}
	}
	return found
}

// storedLogs reads all records in slices of time shorter than the limit.
func storedLogs(t *testing.T, s *server, epoch time.Time) map[int]int {
	t.Helper()
	found := map[int]int{}
	for from := epoch; from.Before(time.Now().Add(time.Minute)); from = from.Add(5 * time.Second) {
		var answer struct {
			Logs      []model.LogRecord `json:"logs"`
			Truncated bool              `json:"truncated"`
		}
		s.get("/sb/v1/logs", url.Values{
			"q": {"service:crash"}, "limit": {"10000"},
			"start": {from.Format(time.RFC3339Nano)}, "end": {from.Add(5 * time.Second).Format(time.RFC3339Nano)},
		}, &answer)
		if answer.Truncated {
			t.Fatalf("more than 10,000 records in 5 s of numbered time")
		}
		for _, r := range answer.Logs {
			var n int
			if _, err := fmt.Sscanf(r.Message, "number %d of logs", &n); err != nil {
				t.Fatalf("unexpected record %q", r.Message)
			}
			found[n]++
		}
		if len(answer.Logs) == 0 && len(found) > 0 {
			break
		}
	}
	return found
}

// storedSpans asks SQL, so that search and SQL are both held to the promise.
func storedSpans(t *testing.T, s *server, _ time.Time) map[int]int {
	t.Helper()
	var answer struct {
		Rows      [][]json.RawMessage `json:"rows"`
		Truncated bool                `json:"truncated"`
	}
	found := map[int]int{}
	const slice = 50_000
	for from := 0; ; from += slice {
		s.post("/sb/v1/sql", map[string]any{"limit": slice, "query": fmt.Sprintf(
			"SELECT CAST(split_part(name, ' ', 2) AS INTEGER) AS n, count(*) AS c FROM spans WHERE service = 'crash' GROUP BY 1 HAVING n >= %d AND n < %d", from, from+slice)}, &answer)
		if len(answer.Rows) == 0 && from > 200_000 || len(answer.Rows) == 0 && len(found) > 0 {
			return found
		}
		for _, r := range answer.Rows {
			var n, c int
			if json.Unmarshal(r[0], &n) != nil || json.Unmarshal(r[1], &c) != nil {
				t.Fatalf("row %s", r)
			}
			found[n] = c
		}
	}
}
