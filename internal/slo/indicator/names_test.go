package indicator

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// library is a store that knows names of numbers and of native histograms.
type library struct {
	scripted
	numbers, histograms []string
	failure             error
}

func (l *library) Stored(_ context.Context, metric string) (found, histograms bool, err error) {
	histograms = slices.Contains(l.histograms, metric)
	return histograms || slices.Contains(l.numbers, metric), histograms, l.failure
}

func TestWhichNameNeverCame(t *testing.T) {
	counts := &Ratio{Bad: counter(t, `errors_total{code="5"}`), Total: counter(t, "requests_total")}
	latency := &Ratio{Good: counter(t, `latency_bucket{le="0.3"}`), Total: counter(t, "latency_count")}
	query, err := promexpr.ParseVector("depth / size")
	if err != nil {
		t.Fatal(err)
	}
	values := &Values{Query: query}
	for _, c := range []struct {
		name  string
		src   Source
		store library
		want  *Fault
	}{
		{"all came", counts, library{numbers: []string{"requests_total", "errors_total"}}, nil},
		{"total never came", counts, library{numbers: []string{"errors_total"}}, &Fault{Kind: UnknownMetric, Metric: "requests_total"}},
		{"no failure ever: its counter need not exist", counts, library{numbers: []string{"requests_total"}}, nil},
		{"histograms under the very name", counts, library{histograms: []string{"requests_total"}}, &Fault{Kind: NativeHistogram, Metric: "requests_total"}},
		{"native histograms where a classic one is asked for", latency, library{histograms: []string{"latency"}}, &Fault{Kind: NativeHistogram, Metric: "latency"}},
		{"numbers under the histogram's name help nobody", latency, library{numbers: []string{"latency"}}, &Fault{Kind: UnknownMetric, Metric: "latency_count"}},
		{"the second of two values", values, library{numbers: []string{"depth"}}, &Fault{Kind: UnknownMetric, Metric: "size"}},
		{"both values", values, library{numbers: []string{"depth", "size"}}, nil},
		{"in slices", &Slices{Counts: counts, Slice: time.Minute}, library{}, &Fault{Kind: UnknownMetric, Metric: "requests_total"}},
		{"at peak", &AtPeak{Source: values}, library{numbers: []string{"size"}}, &Fault{Kind: UnknownMetric, Metric: "depth"}},
		{"events have no names", &EventRatio{Total: compare("service", "a")}, library{}, nil},
	} {
		for how, q := range map[string]Querier{"": &c.store, " in a batch": NewBatch(&c.store, nil), " beside events": NewBatch(WithEvents(&c.store, &room{}), nil)} {
			got, err := Unstored(t.Context(), c.src, q)
			if err != nil || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("%s%s: %+v %v, want %+v", c.name, how, got, err, c.want)
			}
		}
	}
	if got, err := Unstored(t.Context(), counts, &scripted{}); got != nil || err != nil {
		t.Errorf("a store that knows no names: %+v %v", got, err)
	}
	closed := errors.New("the store is closed")
	if got, err := Unstored(t.Context(), counts, &library{failure: closed}); got != nil || !errors.Is(err, closed) {
		t.Errorf("a store that fails: %+v %v", got, err)
	}
}

func TestAllNamesThatASourceReads(t *testing.T) {
	counts := &Ratio{Bad: counter(t, "errors_total"), Total: counter(t, "requests_total")}
	for _, c := range []struct {
		src  Source
		want []string
	}{
		{counts, []string{"requests_total", "errors_total"}},
		{&Slices{Counts: counts, Slice: time.Minute}, []string{"requests_total", "errors_total"}},
		{&EventRatio{Total: compare("service", "a")}, nil},
	} {
		if got := Metrics(c.src); !slices.Equal(got, c.want) {
			t.Errorf("%T: %q, want %q", c.src, got, c.want)
		}
	}
}
