package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
)

// withExemplar is a counter of a tenant that has one.
func withExemplar(name string, now time.Time) string {
	return fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}}]},"scopeMetrics":[{"metrics":[{"name":%q,"sum":{"aggregationTemporality":2,"isMonotonic":true,
		"dataPoints":[{"timeUnixNano":"%d","startTimeUnixNano":"%d","asInt":"3","exemplars":[{"timeUnixNano":"%d","asInt":"1","traceId":%q}]}]}}]}]}]}`,
		name, now.UnixNano(), now.Add(-time.Minute).UnixNano(), now.UnixNano(), zebraTrace)
}

// Exemplars, remote reads of both kinds and live tails of several tenants say whose each is, and hold nothing of a third.
func TestExemplarsRemoteReadAndTailsOfSeveralTenants(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}, {name: blue}]\n"})
	now := time.Now()
	for _, tenant := range []string{"default", "acme", "blue"} {
		if code, text := r.as(t, tenant, "POST", "/v1/metrics", withExemplar("zebra", now)); code != http.StatusOK {
			t.Fatal(code, text)
		}
	}
	exemplars := func(expr string) string {
		t.Helper()
		var got struct {
			Data []struct {
				SeriesLabels map[string]string
				Exemplars    []struct{ Labels map[string]string }
			}
		}
		code, text := r.as(t, "acme|blue", "GET", "/api/v1/query_exemplars?start=0&end=9999999999&query="+expr, "")
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != http.StatusOK {
			t.Fatal(code, text)
		}
		var tenants []string
		for _, s := range got.Data {
			if len(s.Exemplars) != 1 || s.Exemplars[0].Labels["trace_id"] != zebraTrace {
				t.Errorf("%+v", s)
			}
			tenants = append(tenants, s.SeriesLabels["__tenant_id__"])
		}
		return strings.Join(tenants, " ")
	}
	for expr, want := range map[string]string{
		"zebra_total": "acme blue", `zebra_total{__tenant_id__="blue"}`: "blue", `zebra_total{__tenant_id__="default"}`: "",
		`zebra_total{__tenant_id__="acme"}%2Bzebra_total{__tenant_id__="blue"}`: "acme blue",
	} {
		if got := exemplars(expr); got != want {
			t.Errorf("%s: exemplars of %q, want %q", expr, got, want)
		}
	}
	for _, streamed := range []bool{false, true} {
		if got := r.remoteRead(t, "acme|blue", "zebra_total", streamed); got != "acme blue" {
			t.Errorf("streamed %v: remote read of %q", streamed, got)
		}
	}
	r.tailBoth(t)
}

// remoteRead answers of which tenants the series are.
func (r *running) remoteRead(t *testing.T, tenants, name string, streamed bool) string {
	t.Helper()
	now := time.Now()
	req := &prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: now.Add(-time.Hour).UnixMilli(), EndTimestampMs: now.Add(time.Minute).UnixMilli(), Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: name}},
	}}}
	if streamed {
		req.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{prompb.ReadRequest_STREAMED_XOR_CHUNKS}
	}
	raw, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	code, text := r.do(t, "POST", "/api/v1/read", "application/x-protobuf", string(snappy.Encode(nil, raw)), "X-Scope-OrgID", tenants, "Content-Encoding", "snappy")
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	var all [][]prompb.Label
	if streamed {
		frames := remote.NewChunkedReader(bytes.NewReader([]byte(text)), 1<<20, nil)
		for {
			var frame prompb.ChunkedReadResponse
			if err := frames.NextProto(&frame); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for _, s := range frame.ChunkedSeries {
				if len(s.Chunks) == 0 {
					t.Error("a series without samples")
				}
				all = append(all, s.Labels)
			}
		}
	} else {
		plain, err := snappy.Decode(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var res prompb.ReadResponse
		if err := proto.Unmarshal(plain, &res); err != nil {
			t.Fatal(err)
		}
		for _, s := range res.Results[0].Timeseries {
			if len(s.Samples) == 0 {
				t.Error("a series without samples")
			}
			all = append(all, s.Labels)
		}
	}
	var of []string
	for _, ls := range all {
		for _, l := range ls {
			if l.Name == "__tenant_id__" {
				of = append(of, l.Value)
			}
		}
	}
	return strings.Join(of, " ")
}

// tailBoth follows two of three tenants.
func (r *running) tailBoth(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", r.Addresses().Web+"/sb/v1/logs/tail", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Scope-OrgID", "acme|blue")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(err, res)
	}
	defer res.Body.Close()
	got := make(chan string)
	go func() {
		defer close(got)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				got <- data
			}
		}
	}()
	// A tail has followed each tenant once it told of both: until then nobody knows whether it has begun.
	seen := map[string]bool{}
	for n := 0; !seen["acme"] || !seen["blue"]; n++ {
		for _, tenant := range []string{"default", "acme", "blue"} {
			r.write(t, tenant, fmt.Sprintf("tailed %s %d", tenant, n))
		}
		for waiting := true; waiting && (!seen["acme"] || !seen["blue"]); {
			select {
			case data, ok := <-got:
				if !ok {
					t.Fatal("the tail ended")
				}
				for _, tenant := range []string{"acme", "blue"} {
					if strings.Contains(data, "tailed "+tenant) {
						if !strings.Contains(data, `"tenant":"`+tenant+`"`) {
							t.Error(data)
						}
						seen[tenant] = true
					}
				}
				if strings.Contains(data, "tailed default") {
					t.Fatal(data)
				}
			case <-time.After(100 * time.Millisecond):
				waiting = false
			}
		}
	}
}
