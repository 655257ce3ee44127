package otlp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

func bound(ctx context.Context, namespaces ...string) context.Context {
	return access.With(ctx, &access.Access{Scope: access.Scope{All: len(namespaces) == 0, Names: namespaces}})
}

// resources is a request with one record for each namespace, "" for none.
func resources(signal string, at time.Time, namespaces ...string) string {
	record := map[string]string{
		"Logs":    `"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"x"}}]}]`,
		"Spans":   `"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"x","startTimeUnixNano":"%d","endTimeUnixNano":"%[1]d"}]}]`,
		"Metrics": `"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1"}]}}]}]`,
	}[signal]
	var list []string
	for _, n := range namespaces {
		attr := ""
		if n != "" {
			attr = fmt.Sprintf(`,{"key":"service.namespace","value":{"stringValue":%q}}`, n)
		}
		list = append(list, fmt.Sprintf(`{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}%s]},%s}`, attr, fmt.Sprintf(record, at.UnixNano())))
	}
	return fmt.Sprintf(`{"resource%s":[%s]}`, signal, strings.Join(list, ","))
}

// exportAs sends a request over HTTP and answers how many records were refused.
func exportAs(t *testing.T, h http.Handler, path, body string, namespaces ...string) (rejected, message string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", typeJSON)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(bound(t.Context(), namespaces...)))
	var answer struct {
		PartialSuccess map[string]any `json:"partialSuccess"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body, err)
	}
	for k, v := range answer.PartialSuccess {
		if strings.HasPrefix(k, "rejected") {
			rejected = fmt.Sprint(v)
		}
		if k == "errorMessage" {
			message = fmt.Sprint(v)
		}
	}
	return rejected, message
}

// last is the newest value of each series, target_info apart.
func last(t *testing.T, store *metrics.Store) map[string]float64 {
	t.Helper()
	q, err := store.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string]float64{}
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchNotEqual, "__name__", "target_info"))
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			_, out[set.At().Labels().Get("namespace")] = it.At()
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASenderOfOTLPWritesToItsNamespacesOnly(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		bound    []string
		rejected string
		want     []string
	}{
		{nil, "", []string{"", "pay", "trade"}},
		{[]string{"pay"}, "1", []string{"pay", "pay"}},
		{[]string{"pay", "trade"}, "1", []string{"pay", "trade"}},
		{[]string{"none"}, "2", []string{"none"}},
	} {
		b := &backend{}
		store, h := realServer(t, b)
		for signal, path := range map[string]string{"Logs": "/v1/logs", "Spans": "/v1/traces", "Metrics": "/v1/metrics"} {
			rejected, message := exportAs(t, h, path, resources(signal, now, "", "pay", "trade"), c.bound...)
			if rejected != c.rejected || rejected != "" && !strings.Contains(message, "namespace") {
				t.Errorf("%v %s: %s refused: %s", c.bound, signal, rejected, message)
			}
		}
		var inLogs, inSpans []string
		for _, l := range b.logs {
			inLogs = append(inLogs, l.Resource.Namespace)
		}
		for _, s := range b.spans {
			inSpans = append(inSpans, s.Resource.Namespace)
		}
		inSeries := slices.Sorted(maps.Keys(last(t, store)))
		slices.Sort(inLogs)
		slices.Sort(inSpans)
		if !slices.Equal(inLogs, c.want) || !slices.Equal(inSpans, c.want) || !slices.Equal(inSeries, slices.Compact(slices.Clone(c.want))) {
			t.Errorf("%v: logs of %q, spans of %q, series of %q", c.bound, inLogs, inSpans, inSeries)
		}
		tb := &testbed{backend: b}
		if received := tb.sum("received"); received < 9 || tb.sum("stored")+tb.sum("refused") != received {
			t.Errorf("%v: %v", c.bound, b.balance)
		}
	}
}

// A data point that names another namespace than its resource is written there, or not at all.
func TestADataPointDoesNotLeaveItsSendersNamespaces(t *testing.T) {
	b := &backend{}
	store, h := realServer(t, b)
	body := strings.Replace(resources("Metrics", time.Now(), "pay"), `"asInt":"1"`, `"asInt":"1","attributes":[{"key":"namespace","value":{"stringValue":"trade"}}]`, 1)
	if rejected, message := exportAs(t, h, "/v1/metrics", body, "pay"); rejected != "1" || !strings.Contains(message, "namespace") || len(last(t, store)) != 0 {
		t.Errorf("%s %s %v", rejected, message, last(t, store))
	}
	if rejected, _ := exportAs(t, h, "/v1/metrics", body); rejected != "" || len(last(t, store)) != 1 {
		t.Errorf("%s %v", rejected, last(t, store))
	}
}

// What was sent with the same bytes by a sender of another namespace is no repetition.
func TestRepetitionsAreThoseOfOneSender(t *testing.T) {
	b := &backend{}
	_, h := realServer(t, b)
	now := time.Now()
	for _, who := range []string{"pay", "trade", "pay"} {
		exportAs(t, h, "/v1/logs", resources("Logs", now, ""), who)
		exportAs(t, h, "/v1/traces", resources("Spans", now, ""), who)
	}
	if len(b.logs) != 2 || len(b.spans) != 2 {
		t.Errorf("%d records, %d spans", len(b.logs), len(b.spans))
	}
}

// A sender that is refused adds nothing to the sums that are kept of others' deltas.
func TestARefusedDeltaIsNotSummedUp(t *testing.T) {
	b := &backend{}
	store, h := realServer(t, b)
	begin := time.Now().Add(-time.Minute).Truncate(time.Second)
	send := func(second int, who ...string) {
		at := begin.Add(time.Duration(second) * time.Second)
		body := strings.Replace(resources("Metrics", at, "trade"), `"gauge":{`, `"sum":{"aggregationTemporality":1,"isMonotonic":true,`, 1)
		body = strings.Replace(body, `"asInt"`, fmt.Sprintf(`"startTimeUnixNano":"%d","asInt"`, at.Add(-time.Second).UnixNano()), 1)
		exportAs(t, h, "/v1/metrics", body, who...)
	}
	send(1)
	send(2, "pay")
	send(3, "trade")
	if got := last(t, store)["trade"]; got != 2 {
		t.Errorf("the sum is %v, want 2", got)
	}
}

// gRPC's requests have their Access from the front.
func TestNamespacesHoldOverGRPC(t *testing.T) {
	tb := startBehind(t, nil, func(r *http.Request, _ access.Permission, _ front.MountInfo) (context.Context, func(int), *front.Refusal) {
		return bound(r.Context(), "pay"), func(int) {}, nil
	})
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalJSON([]byte(resources("Logs", time.Now(), "", "pay", "trade"))); err != nil {
		t.Fatal(err)
	}
	resp, err := plogotlp.NewGRPCClient(tb.dial(t)).Export(t.Context(), req)
	if err != nil || resp.PartialSuccess().RejectedLogRecords() != 1 || !strings.Contains(resp.PartialSuccess().ErrorMessage(), "namespace") || len(tb.logs) != 2 {
		t.Errorf("%v %+v", err, resp.PartialSuccess())
	}
}
