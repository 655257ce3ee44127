package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"golang.org/x/sync/errgroup"
)

type benchmark struct {
	cfg    Config
	log    *slog.Logger
	report *Report
	client *http.Client
}

func newHTTPClient(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, DisableCompression: true, ForceAttemptHTTP2: false,
	}}
}

// measure encodes a signal's requests, sends them and asks for their count.
func (b *benchmark) measure(ctx context.Context, signal string) error {
	b.log.Info("encoding", "signal", signal)
	now := time.Now()
	var loads []workload
	var err error
	var count func(context.Context) (float64, error)
	switch signal {
	case "metrics":
		var create, more workload
		create, more, err = encodeMetrics(b.cfg, b.report.Run, now)
		loads = []workload{create, more}
		count = func(ctx context.Context) (float64, error) { return b.countSamples(ctx, now) }
	case "spans":
		var w workload
		w, err = encodeSpans(b.cfg, b.report.Run, now)
		loads, count = []workload{w}, func(ctx context.Context) (float64, error) { return b.countRows(ctx, "spans") }
	case "logs":
		var w workload
		w, err = encodeLogs(b.cfg, b.report.Run, now)
		loads, count = []workload{w}, func(ctx context.Context) (float64, error) { return b.countRows(ctx, "logs") }
	}
	if err != nil {
		return err
	}
	accepted := 0.0
	for _, w := range loads {
		row, err := b.send(ctx, w)
		b.report.Rows = append(b.report.Rows, row)
		if err != nil {
			return err
		}
		accepted += float64(row.Accepted)
	}
	queried, err := count(ctx)
	last := &b.report.Rows[len(b.report.Rows)-1]
	if err != nil {
		last.Problem = "not verified: " + err.Error()
		return nil //nolint:nilerr // it is a finding of the report, the other signals go on
	}
	last.Queried, last.Verified = queried, queried == accepted
	if !last.Verified {
		last.Problem = fmt.Sprintf("accepted %.0f, but %.0f can be queried", accepted, queried)
	}
	return nil
}

// send is one row of the report: all requests of w over the connections.
func (b *benchmark) send(ctx context.Context, w workload) (Row, error) {
	total := w.total()
	row := Row{Name: w.name, Requests: len(w.bodies), Sent: total, BytesPerUnit: float64(w.bytes) / float64(total)}
	b.log.Info("sending", "what", w.name, "units", total, "requests", len(w.bodies))
	disk := diskUse(b.cfg.DataDir)
	cpu := cpuSeconds(b.cfg.PID)
	stopRSS := watchRSS(b.cfg.PID)
	var next, accepted, retried atomic.Int64
	var mu sync.Mutex
	var latencies []time.Duration
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	for range b.cfg.Connections {
		g.Go(func() error {
			var own []time.Duration
			defer func() { mu.Lock(); latencies = append(latencies, own...); mu.Unlock() }()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(w.bodies) {
					return nil
				}
				rejected, took, tries, err := b.post(gctx, w, w.bodies[i])
				if err != nil {
					return err
				}
				own = append(own, took)
				retried.Add(int64(tries))
				accepted.Add(int64(w.units[i]) - rejected)
			}
		})
	}
	err := g.Wait()
	row.Seconds = time.Since(start).Seconds()
	row.Accepted, row.Retried = int(accepted.Load()), int(retried.Load())
	row.PerSecond = float64(row.Accepted) / row.Seconds
	row.latencies(latencies)
	row.PeakRSS = stopRSS()
	if err != nil {
		return row, err
	}
	// The server's background work belongs to the price.
	select {
	case <-ctx.Done():
	case <-time.After(b.cfg.Settle):
	}
	row.CPUPerMillion = per(cpuSeconds(b.cfg.PID)-cpu, float64(row.Accepted)/1e6)
	row.DiskPerUnit = per(diskUse(b.cfg.DataDir)-disk, float64(row.Accepted))
	return row, nil
}

func (r *Row) latencies(all []time.Duration) {
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000 }
	r.P50, r.P99, r.Max = at(0.5), at(0.99), at(1)
}

// maxTries is how often a request is sent to an overloaded server.
const maxTries = 50

// post sends one request until it is taken and answers how many of its units
// were rejected. took is the time of the successful try alone.
func (b *benchmark) post(ctx context.Context, w workload, body []byte) (rejected int64, took time.Duration, tries int, err error) {
	for tries = range maxTries {
		start := time.Now()
		status, header, text, err := b.roundTrip(ctx, http.MethodPost, w.path, w.headers, body)
		if err != nil {
			return 0, 0, tries, err
		}
		if status/100 == 2 {
			rejected, err = partialSuccess(w.path, text)
			return rejected, time.Since(start), tries, err
		}
		if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			return 0, 0, tries, fmt.Errorf("POST %s: status %d: %.300s", w.path, status, text)
		}
		wait := 100 * time.Millisecond
		if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil {
			wait = min(time.Duration(s)*time.Second, 5*time.Second)
		}
		select {
		case <-ctx.Done():
			return 0, 0, tries, ctx.Err()
		case <-time.After(wait):
		}
	}
	return 0, 0, maxTries, fmt.Errorf("POST %s: still overloaded after %d tries", w.path, maxTries)
}

func (b *benchmark) roundTrip(ctx context.Context, method, path string, headers map[string]string, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.cfg.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, resp.Header, text, err
}

// partialSuccess is the number of records that an OTLP answer says were refused.
func partialSuccess(path string, text []byte) (int64, error) {
	switch path {
	case "/v1/traces":
		r := ptraceotlp.NewExportResponse()
		if err := r.UnmarshalProto(text); err != nil {
			return 0, fmt.Errorf("read the answer of %s: %w", path, err)
		}
		return r.PartialSuccess().RejectedSpans(), nil
	case "/v1/logs":
		r := plogotlp.NewExportResponse()
		if err := r.UnmarshalProto(text); err != nil {
			return 0, fmt.Errorf("read the answer of %s: %w", path, err)
		}
		return r.PartialSuccess().RejectedLogRecords(), nil
	}
	return 0, nil
}

func (b *benchmark) countSamples(ctx context.Context, now time.Time) (float64, error) {
	query := fmt.Sprintf(`sum(count_over_time(bench_http_requests_total{cluster=%q}[2h]))`, b.report.Run)
	at := strconv.FormatInt(now.Unix()+2, 10)
	status, _, text, err := b.roundTrip(ctx, http.MethodGet, "/api/v1/query?timeout=2m&time="+at+"&query="+url.QueryEscape(query), nil, nil)
	if err != nil || status != http.StatusOK {
		return 0, errors.Join(fmt.Errorf("query: status %d: %.300s", status, text), err)
	}
	var out struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &out); err != nil || len(out.Data.Result) != 1 {
		return 0, errors.Join(fmt.Errorf("query answered %d series", len(out.Data.Result)), err)
	}
	return strconv.ParseFloat(fmt.Sprint(out.Data.Result[0].Value[1]), 64)
}

func (b *benchmark) countRows(ctx context.Context, table string) (float64, error) {
	q, err := json.Marshal(map[string]any{"query": fmt.Sprintf("SELECT count(*) AS n FROM %s WHERE service LIKE '%s-%%'", table, b.report.Run)})
	if err != nil {
		return 0, err
	}
	status, _, text, err := b.roundTrip(ctx, http.MethodPost, "/sb/v1/sql", map[string]string{"Content-Type": "application/json"}, q)
	if err != nil || status != http.StatusOK {
		return 0, errors.Join(fmt.Errorf("sql: status %d: %.300s", status, text), err)
	}
	var out struct {
		Rows [][]any `json:"rows"`
	}
	if err := json.Unmarshal(text, &out); err != nil || len(out.Rows) != 1 || len(out.Rows[0]) != 1 {
		return 0, errors.Join(fmt.Errorf("sql answered %d rows", len(out.Rows)), err)
	}
	return strconv.ParseFloat(fmt.Sprint(out.Rows[0][0]), 64)
}
