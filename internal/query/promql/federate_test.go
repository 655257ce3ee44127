package promql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

func put(t *testing.T, s *metrics.Store, at time.Time, v float64, h *histogram.Histogram, ls ...string) {
	t.Helper()
	app := s.AppenderV2(context.Background())
	if _, err := app.Append(0, labels.FromStrings(ls...), 0, at.UnixMilli(), v, h, nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

type federated struct {
	status      int
	contentType string
	body        []byte
}

func federate(t *testing.T, s *metrics.Store, now time.Time, external map[string]string, accept string, match ...string) federated {
	t.Helper()
	h, err := NewFederation(engine(t, DefaultConfig(), s), FederationDeps{
		Registerer: prometheus.NewRegistry(), Storage: s, Now: func() time.Time { return now }, ExternalLabels: func() map[string]string { return external },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", FederationPath+"?"+url.Values{"match[]": match}.Encode(), nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return federated{w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()}
}

const (
	acceptText  = "text/plain;version=0.0.4"
	acceptProto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// scraped is what Prometheus' own parsers make of an answer.
func scraped(t *testing.T, f federated) []string {
	t.Helper()
	p, err := textparse.New(f.body, f.contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	text := func(ls labels.Labels) string { return ls.WithoutEmpty().String() } // as a scrape does
	for {
		kind, err := p.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out
		}
		if err != nil {
			t.Fatalf("a scrape fails: %v\n%s", err, f.body)
		}
		var ls labels.Labels
		switch kind {
		case textparse.EntrySeries:
			_, at, v := p.Series()
			p.Labels(&ls)
			out = append(out, fmt.Sprintf("%s %g @%d", text(ls), v, *at))
		case textparse.EntryHistogram:
			_, at, h, fh := p.Histogram()
			p.Labels(&ls)
			if h != nil {
				fh = h.ToFloat(nil)
			}
			out = append(out, fmt.Sprintf("%s %s hint=%d @%d", text(ls), fh, fh.CounterResetHint, *at))
		}
	}
}

func TestFederationGivesTheLastSampleOfEachSelectedSeries(t *testing.T) {
	s := openStore(t)
	now := time.UnixMilli(time.Now().UnixMilli())
	put(t, s, now.Add(-2*time.Minute), 1, nil, "__name__", "up", "job", "a")
	put(t, s, now.Add(-time.Minute), 2, nil, "__name__", "up", "job", "a")
	put(t, s, now, 3, nil, "__name__", "up", "job", "b", "instance", "h:1", "region", "own")
	put(t, s, now.Add(time.Second), 9, nil, "__name__", "up", "job", "b", "instance", "h:1", "region", "own") // not yet
	put(t, s, now.Add(-6*time.Minute), 1, nil, "__name__", "up", "job", "old")                                // beyond the look-back
	put(t, s, now.Add(-time.Minute), 1, nil, "__name__", "up", "job", "ended")
	put(t, s, now.Add(-30*time.Second), math.Float64frombits(value.StaleNaN), nil, "__name__", "up", "job", "ended")
	put(t, s, now, 4, nil, "__name__", "other", "job", "a")
	put(t, s, now, 5, nil, "__name__", "unasked", "job", "a")
	put(t, s, now, 6, nil, "__name__", "with.dots", "a b", "c")
	ms := now.UnixMilli()
	want := []string{
		fmt.Sprintf(`{__name__="other", job="a", region="eu"} 4 @%d`, ms),
		fmt.Sprintf(`{__name__="up", instance="h:1", job="b", region="own"} 3 @%d`, ms),
		fmt.Sprintf(`{__name__="up", job="a", region="eu"} 2 @%d`, ms-60_000),
		fmt.Sprintf(`{"__name__"="with.dots", "a b"="c", region="eu"} 6 @%d`, ms),
	}
	for _, accept := range []string{acceptText + ";escaping=allow-utf-8", acceptProto + ";escaping=allow-utf-8"} {
		got := federate(t, s, now, map[string]string{"region": "eu"}, accept, `up`, `{job="a",__name__=~"up|other"}`, `{"with.dots"}`)
		lines := scraped(t, got)
		for i := range lines {
			lines[i] = strings.Replace(lines[i], `{__name__="with.dots"`, `{"__name__"="with.dots"`, 1)
		}
		slices.Sort(want)
		slices.Sort(lines)
		if d := cmp.Diff(want, lines); d != "" || got.status != 200 {
			t.Errorf("%s: %d %s\n%s", accept, got.status, d, got.body)
		}
	}
	if got := federate(t, s, now, nil, "", `up{job="a"}`); !strings.HasPrefix(got.contentType, "text/plain; version=0.0.4") ||
		string(got.body) != fmt.Sprintf("# TYPE up untyped\nup{job=\"a\",instance=\"\"} 2 %d\n", ms-60_000) {
		t.Errorf("%s\n%s", got.contentType, got.body)
	}
	if got := federate(t, s, now, nil, ""); got.status != 200 || len(got.body) != 0 {
		t.Errorf("nothing asked: %d %s", got.status, got.body)
	}
	if got := federate(t, s, now, nil, "", `up{`); got.status != 400 || !strings.Contains(string(got.body), "match[]") {
		t.Errorf("a broken selector: %d %s", got.status, got.body)
	}
}

func TestFederationGivesNativeHistogramsWhereTheFormHasThem(t *testing.T) {
	s := openStore(t)
	now := time.UnixMilli(time.Now().UnixMilli())
	native := tsdbutil.GenerateTestHistogram(3)
	gauge := tsdbutil.GenerateTestGaugeHistogram(2)
	custom := tsdbutil.GenerateTestCustomBucketsHistogram(1)
	empty := &histogram.Histogram{Schema: 2, ZeroThreshold: 0, Count: 0}
	put(t, s, now, 0, native, "__name__", "lat", "kind", "counter")
	put(t, s, now, 0, gauge, "__name__", "lat", "kind", "gauge")
	put(t, s, now, 7, nil, "__name__", "lat", "kind", "float")
	put(t, s, now, 0, custom, "__name__", "nhcb")
	put(t, s, now, 0, empty, "__name__", "empty")
	all := []string{`{__name__=~"lat|nhcb|empty"}`}

	text := strings.Join(scraped(t, federate(t, s, now, nil, acceptText, all...)), "\n")
	for _, want := range []string{`{__name__="lat", kind="float"} 7`, `{__name__="nhcb_count"} ` + fmt.Sprint(custom.Count), `{__name__="nhcb_bucket", le="+Inf"} ` + fmt.Sprint(custom.Count), `{__name__="nhcb_sum"} ` + fmt.Sprint(custom.Sum)} {
		if !strings.Contains(text, want) {
			t.Errorf("as text: no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, `kind="counter"`) || strings.Contains(text, `kind="gauge"`) || strings.Contains(text, "empty") {
		t.Errorf("as text: a native histogram in\n%s", text)
	}

	proto := strings.Join(scraped(t, federate(t, s, now, nil, acceptProto, all...)), "\n")
	for _, want := range []string{
		fmt.Sprintf(`{__name__="lat", kind="counter"} %s hint=%d`, native.ToFloat(nil), histogram.UnknownCounterReset),
		fmt.Sprintf(`{__name__="lat", kind="gauge"} %s hint=%d`, gauge.ToFloat(nil), histogram.GaugeType),
		`{__name__="lat", kind="float"} 7`, `{__name__="empty"}`,
	} {
		if !strings.Contains(proto, want) {
			t.Errorf("as protobuf: no %s in\n%s", want, proto)
		}
	}
}

func TestFederationIsBoundedAndOnlyRead(t *testing.T) {
	s := openStore(t)
	now := time.Now()
	for i := range 3 {
		put(t, s, now, 1, nil, "__name__", "up", "job", fmt.Sprint(i))
	}
	cfg := DefaultConfig()
	cfg.MaxSamples = 2
	reg := prometheus.NewRegistry()
	h, err := NewFederation(engine(t, cfg, s), FederationDeps{Storage: s, Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]int{"GET": http.StatusUnprocessableEntity, "POST": http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, FederationPath+"?match[]=up", nil))
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", method, w.Code, w.Body, want)
		}
	}
	if _, err := NewFederation(engine(t, cfg, s), FederationDeps{Storage: s, Registerer: reg}); err == nil {
		t.Error("metrics registered twice are not named")
	}
}

// Who knows letters, digits and _ only gets every series but the one that its parser would refuse the whole answer for.
func TestFederationLeavesOutWhatAnOlderReaderCannotTellApart(t *testing.T) {
	s := openStore(t)
	now := time.UnixMilli(time.Now().UnixMilli())
	put(t, s, now, 1, nil, "__name__", "a", "k8s.pod", "x", "k8s_pod", "y")
	put(t, s, now, 2, nil, "__name__", "a", "k8s.pod", "x")
	put(t, s, now, 3, nil, "__name__", "b.c", "k8s_pod", "x", "my.region", "r")
	for accept, want := range map[string]int{acceptText: 1, acceptText + ";escaping=allow-utf-8": 3, acceptProto: 1} {
		if got := scraped(t, federate(t, s, now, map[string]string{"my_region": "eu"}, accept, `{__name__=~".+"}`)); len(got) != want {
			t.Errorf("%s: %v, want %d", accept, got, want)
		}
	}
}
