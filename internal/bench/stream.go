package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Stream is remote write at a steady rate, encoded before it is sent: one
// sample of each series in turn, round after round.
type Stream struct {
	PerSecond float64 // samples
	bodies    [][]byte
	units     []int
	before    []int // samples ahead of each request
	bytes     int   // compressed
}

// StreamResult is what became of a stream.
type StreamResult struct {
	Samples  int
	Seconds  float64
	Retried  int           // requests that the server was too busy for at first
	Behind   time.Duration // how much later than planned the last request was sent
	P50, P99 float64       // milliseconds from sending a request to its acknowledgement
	Max      float64
}

// EncodeStream makes a stream of perSecond samples a second that lasts so long.
// Samples bear the times at which they are due when it is sent at start.
func EncodeStream(run string, series, perRequest int, perSecond float64, lasts time.Duration, start time.Time, seed uint64) (*Stream, error) {
	rng := rand.New(rand.NewPCG(seed, 4))
	all := make([]prompb.TimeSeries, series)
	for i := range all {
		all[i] = prompb.TimeSeries{Labels: kubernetesLabels(i, run), Samples: []prompb.Sample{{Value: float64(rng.IntN(1e6))}}}
	}
	s := &Stream{PerSecond: perSecond}
	left := int(perSecond * lasts.Seconds())
	sent := 0
	for left > 0 {
		for from := 0; from < series && left > 0; from += perRequest {
			batch := all[from:min(from+perRequest, series, from+left)]
			due := start.Add(time.Duration(float64(sent) / perSecond * float64(time.Second))).UnixMilli()
			for i := range batch {
				p := &batch[i].Samples[0]
				p.Timestamp, p.Value = due, p.Value+float64(rng.IntN(1000))
			}
			req := prompb.WriteRequest{Timeseries: batch}
			raw, err := req.Marshal()
			if err != nil {
				return nil, fmt.Errorf("encode remote write: %w", err)
			}
			body := snappy.Encode(nil, raw)
			s.bodies, s.units, s.before, s.bytes = append(s.bodies, body), append(s.units, len(batch)), append(s.before, sent), s.bytes+len(body)
			sent, left = sent+len(batch), left-len(batch)
		}
	}
	return s, nil
}

// Send sends each request when it is due, or as soon as a connection is free.
func (s *Stream) Send(ctx context.Context, base string, connections int) (StreamResult, error) {
	b := &benchmark{cfg: Config{BaseURL: base}, log: instrument.Silent(), client: newHTTPClient(connections)}
	defer b.client.CloseIdleConnections()
	w := workload{path: "/api/v1/write", headers: remoteWriteHeaders()}
	var next, retried, behind atomic.Int64
	var mu sync.Mutex
	var latencies []time.Duration
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			var own []time.Duration
			defer func() { mu.Lock(); latencies = append(latencies, own...); mu.Unlock() }()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(s.bodies) {
					return nil
				}
				late, err := s.await(gctx, start, i)
				if err != nil {
					return err
				}
				behind.Store(int64(late))
				_, took, tries, err := b.post(gctx, w, s.bodies[i])
				if err != nil {
					return err
				}
				own = append(own, took)
				retried.Add(int64(tries))
			}
		})
	}
	err := g.Wait()
	row := Row{}
	row.latencies(latencies)
	r := StreamResult{Seconds: time.Since(start).Seconds(), Retried: int(retried.Load()), Behind: time.Duration(behind.Load()), P50: row.P50, P99: row.P99, Max: row.Max}
	for i := range min(int(next.Load()), len(s.units)) {
		r.Samples += s.units[i]
	}
	return r, err
}

// await waits until a request is due and answers how late it is.
func (s *Stream) await(ctx context.Context, start time.Time, i int) (late time.Duration, err error) {
	due := start.Add(time.Duration(float64(s.before[i]) / s.PerSecond * float64(time.Second)))
	early := time.Until(due)
	if early <= 0 {
		return -early, nil
	}
	t := time.NewTimer(early)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-t.C:
		return 0, nil
	}
}

// Process is what a process has used of the processor so far, in seconds (NaN
// when that cannot be read), and its resident memory now, in bytes.
func Process(pid int) (cpu float64, resident int64) { return cpuSeconds(pid), rssBytes(pid) }
