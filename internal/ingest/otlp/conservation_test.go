package otlp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// gaugePoint is a drawn data point of a gauge.
type gaugePoint struct {
	service, name, key string
	at                 int64 // Unix ns
	value              int
}

// fate says whether a point may enter, and which series and time it is of.
func (p gaugePoint) fate(now time.Time) (series string, ok bool) {
	name := strings.ReplaceAll(p.name, ".", "_")
	ok = name != "" && p.key != "" && p.at >= now.Add(-300*24*time.Hour).UnixNano() && p.at <= now.Add(10*time.Minute).UnixNano()
	return fmt.Sprint(p.service, " ", name, " ", strings.ReplaceAll(p.key, ".", "_"), " ", p.at/1_000_000), ok
}

func drawGauges(t *rapid.T, now time.Time) (out []gaugePoint) {
	pick := func(what string, values ...string) string { return rapid.SampledFrom(values).Draw(t, what) }
	for range rapid.IntRange(0, 25).Draw(t, "points") {
		offset := rapid.SampledFrom([]time.Duration{0, 0, time.Microsecond, -time.Hour, 11 * time.Minute, -400 * 24 * time.Hour}).Draw(t, "time")
		p := gaugePoint{
			service: pick("service", "s", "t"), name: pick("name", "a", "a.b", "a_b", ""), key: pick("key", "k", "k", "k.l", "k_l", ""),
			at: now.Add(offset).UnixNano(), value: rapid.IntRange(0, 1).Draw(t, "value"),
		}
		if rapid.IntRange(0, 9).Draw(t, "no time") == 0 {
			p.at = 0
		}
		out = append(out, p)
	}
	return out
}

func gaugesJSON(points []gaugePoint) string {
	var list []string
	for _, p := range points {
		list = append(list, fmt.Sprintf(`{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}}]},"scopeMetrics":[{"metrics":[{"name":%q,"gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"%d","attributes":[{"key":%q,"value":{"stringValue":"v"}}]}]}}]}]}`,
			p.service, p.name, p.at, p.value, p.key))
	}
	return `{"resourceMetrics":[` + strings.Join(list, ",") + `]}`
}

// Whatever two requests hold: received is stored and refused, in the answers, in the ledger and in what can be
// read back, with the real admission and store behind the intake.
func TestEveryDataPointIsStoredOrRefused(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	rapid.Check(t, func(rt *rapid.T) {
		points := drawGauges(rt, now)
		first := map[string]int{}
		stored := 0
		for _, p := range points {
			series, ok := p.fate(now)
			v, known := first[series]
			if !ok || known && v != p.value {
				continue
			}
			first[series] = p.value
			stored++
		}
		b := &backend{}
		store, web := realIntake(t, b)
		cut := rapid.IntRange(0, len(points)).Draw(rt, "of the first request")
		rejected := postGauges(rt, web, points[:cut]) + postGauges(rt, web, points[cut:])
		readable := readBack(rt, store)
		tb := &testbed{backend: b}
		infos := tb.sum("stored") - stored // target_info, which nobody sent
		if rejected != len(points)-stored || tb.sum("refused") != rejected || infos < 0 || infos > stored || tb.sum("received") != len(points)+infos || readable != len(first) {
			rt.Fatalf("of %d points %d are to be stored as %d samples: rejected %d, %d readable, ledger %v", len(points), stored, len(first), rejected, readable, b.balance)
		}
	})
}

// postGauges posts points, and is how many of them were rejected.
func postGauges(t *rapid.T, web string, points []gaugePoint) (rejected int) {
	resp, err := http.Post(web+"/v1/metrics", typeJSON, strings.NewReader(gaugesJSON(points)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a answered
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, err)
	}
	if a.PartialSuccess != nil && a.PartialSuccess.Rejected != "" {
		rejected, _ = strconv.Atoi(a.PartialSuccess.Rejected)
	}
	return rejected
}

// realIntake is an intake in front of the admission and the store of the product.
func realIntake(t *testing.T, b *backend) (store *metrics.Store, web string) {
	t.Helper()
	store, s := realServer(t, b)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return store, srv.URL
}

func realServer(t *testing.T, b *backend) (*metrics.Store, *Server) {
	t.Helper()
	store, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	adm, err := samples.New(samples.DefaultConfig(), samples.Deps{Next: store, Stored: store, Counter: b, Retention: store.Retention(), OutOfOrderWindow: store.OutOfOrderWindow()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(DefaultConfig(), Deps{Sink: b, Admitter: b, Appendable: adm.For("otlp"), Ledger: b, AppendableCounts: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, s
}

// readBack counts what is stored, target_info apart.
func readBack(t *rapid.T, store *metrics.Store) (n int) {
	q, err := store.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchNotEqual, "__name__", "target_info"))
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			n++
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
