package samples

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/store"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// memory is a store that keeps appended samples and fails as told.
type memory struct {
	stored              int
	appendErr, commtErr error
	pending             int
	refs                map[uint64]storage.SeriesRef
	exemplars           []exemplar.Exemplar
}

func (m *memory) AppenderV2(context.Context) storage.AppenderV2 { m.pending = 0; return m }

func (m *memory) Append(ref storage.SeriesRef, ls labels.Labels, _, _ int64, _ float64, h *histogram.Histogram, _ *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if h != nil {
		if err := h.Validate(); err != nil {
			return 0, err
		}
	}
	if m.appendErr != nil {
		return 0, m.appendErr
	}
	m.pending++
	m.exemplars = append(m.exemplars, opts.Exemplars...)
	if ref != 0 {
		return ref, nil
	}
	if m.refs == nil {
		m.refs = map[uint64]storage.SeriesRef{}
	}
	if _, ok := m.refs[ls.Hash()]; !ok {
		m.refs[ls.Hash()] = storage.SeriesRef(len(m.refs) + 1)
	}
	return m.refs[ls.Hash()], nil
}

func (m *memory) Commit() error {
	if m.commtErr != nil {
		return m.commtErr
	}
	m.stored += m.pending
	return nil
}

func (m *memory) Rollback() error { m.pending = 0; return nil }

type tally map[string]int

func (c tally) Received(signal, protocol string, n int) { c["received "+signal+" "+protocol] += n }
func (c tally) Stored(signal string, n int)             { c["stored "+signal] += n }
func (c tally) Refused(signal, reason string, n int)    { c["refused "+signal+" "+reason] += n }

func admission(t testing.TB, m *memory, c Counter) *Admission {
	t.Helper()
	a, err := New(DefaultConfig(), Deps{
		Next: m, Counter: c, Retention: 15 * 24 * time.Hour, OutOfOrderWindow: 24 * time.Hour,
		Now: func() time.Time { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func named(kv ...string) labels.Labels {
	return labels.FromStrings(append([]string{"__name__", "up"}, kv...)...)
}

func twice() labels.Labels {
	b := labels.NewScratchBuilder(3)
	b.Add("__name__", "up")
	b.Add("a", "1")
	b.Add("a", "2")
	return b.Labels()
}

func TestEachKindOfBadSampleIsRefusedWithItsReasonAndCure(t *testing.T) {
	many := make([]string, 0, 140)
	for i := range 70 {
		many = append(many, fmt.Sprintf("l%02d", i), "x")
	}
	bad := tsdbutil.GenerateTestHistogram(1)
	bad.Count = 1
	cases := []struct {
		name   string
		ls     labels.Labels
		at     time.Time
		h      *histogram.Histogram
		err    error
		reason string
		says   []string
	}{
		{"no metric name", labels.FromStrings("job", "a"), start, nil, nil, ReasonNoName, []string{`{job="a"}`, "__name__"}},
		{"a label without a name", named("", "v"), start, nil, nil, ReasonEmptyName, nil},
		{"invalid UTF-8 in a value", named("x", "\xff\xfe"), start, nil, nil, ReasonUTF8, []string{`"x"`, "UTF-8"}},
		{"invalid UTF-8 in a name", named("x\xff", "v"), start, nil, nil, ReasonUTF8, nil},
		{"a label that stands twice", twice(), start, nil, nil, ReasonDuplicate, []string{`"a"`}},
		{"too many labels", named(many...), start, nil, nil, ReasonLabelCount, []string{"71 labels", "max_labels_per_series"}},
		{"a long label name", named(strings.Repeat("n", 600), "v"), start, nil, nil, ReasonNameLength, []string{"600 bytes", "max_label_name_bytes"}},
		{"a huge label value", named("sql", strings.Repeat("v", 1<<20)), start, nil, nil, ReasonValueLength, []string{"1048576 bytes", `"sql"`, "max_label_value_bytes"}},
		{"a time in the future", named(), start.Add(11 * time.Minute), nil, nil, ReasonFuture, []string{"11m", "NTP"}},
		{"a time at the end of time", named(), time.UnixMilli(math.MaxInt64), nil, nil, ReasonFuture, []string{"centuries"}},
		{"a time before the retention", named(), start.Add(-16 * 24 * time.Hour), nil, nil, ReasonTooOld, []string{"retention of 15d", "2025-12-17"}},
		{"a time that the store finds too old", named(), start, nil, storage.ErrTooOldSample, ReasonOutOfOrder, []string{"window of 1d", "out_of_order_window"}},
		{"a second value for a time", named(), start, nil, storage.ErrDuplicateSampleForTimestamp, ReasonSameTime, nil},
		{"a broken histogram", named(), start, bad, nil, ReasonBadHistogram, []string{"histogram"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			count := tally{}
			app := admission(t, &memory{appendErr: c.err}, count).For("test").AppenderV2(context.Background())
			_, err := app.Append(0, c.ls, 0, c.at.UnixMilli(), 1, c.h, nil, storage.AOptions{})
			var r *RefusalError
			if !errors.As(err, &r) || r.Reason != c.reason {
				t.Fatalf("got %v, want a refusal for %s", err, c.reason)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
				t.Errorf("message of %d bytes, valid UTF-8: %t", len(err.Error()), utf8.ValidString(err.Error()))
			}
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
			want := tally{"received metrics test": 1, "refused metrics " + c.reason: 1}
			if !cmp.Equal(count, want) {
				t.Error(cmp.Diff(want, count))
			}
		})
	}
}

func TestTheRestOfABatchIsKeptAndEverySampleIsCountedOnce(t *testing.T) {
	m, count := &memory{}, tally{}
	app := admission(t, m, count).For("remote_write").AppenderV2(context.Background())
	for i := range 3 {
		if _, err := app.Append(0, named(), 0, start.Add(time.Duration(i)*time.Second).UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.Append(0, labels.FromStrings("a", "b"), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{}); err == nil {
		t.Fatal("no name, yet admitted")
	}
	if len(count) != 0 {
		t.Errorf("counted before the commit: %v", count)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	want := tally{"received metrics remote_write": 4, "stored metrics": 3, "refused metrics missing_metric_name": 1}
	if !cmp.Equal(count, want) || m.stored != 3 {
		t.Errorf("stored %d\n%s", m.stored, cmp.Diff(want, count))
	}
}

func TestALostBatchCountsAsRefusedByItsReason(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		commit       error
		rollback     bool
	}{
		{"full disk", ReasonReadOnly, fmt.Errorf("x: %w", store.ErrReadOnly), false},
		{"store error", ReasonStorage, errors.New("boom"), false},
		{"rolled back", ReasonRolledBack, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := tally{}
			app := admission(t, &memory{commtErr: c.commit}, count).For("p").AppenderV2(context.Background())
			if _, err := app.Append(0, named(), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
				t.Fatal(err)
			}
			if c.rollback {
				_ = app.Rollback()
			} else if err := app.Commit(); !errors.Is(err, c.commit) {
				t.Fatalf("got %v", err)
			}
			want := tally{"received metrics p": 1, "refused metrics " + c.reason: 1}
			if !cmp.Equal(count, want) {
				t.Error(cmp.Diff(want, count))
			}
		})
	}
}

func TestTwoValuesForOneTimeInOneBatchAreNotBothAcknowledged(t *testing.T) {
	count := tally{}
	app := admission(t, &memory{}, count).For("p").AppenderV2(context.Background())
	for _, v := range []float64{1, 1, 2} { // a repeated value is harmless
		_, _ = app.Append(0, named(), 0, start.UnixMilli(), v, nil, nil, storage.AOptions{})
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if count["refused metrics "+ReasonSameTime] != 1 || count["stored metrics"] != 2 {
		t.Errorf("got %v", count)
	}
}

// Also where other samples stand between them, and for histograms.
func TestTwoValuesForOneTimeAreFoundWhereverTheyStand(t *testing.T) {
	count := tally{}
	app := admission(t, &memory{}, count).For("p").AppenderV2(context.Background())
	add := func(name string, at int, v float64, h *histogram.Histogram) error {
		_, err := app.Append(0, labels.FromStrings("__name__", name), 0, start.Add(time.Duration(at)*time.Millisecond).UnixMilli(), v, h, nil, storage.AOptions{})
		return err
	}
	refused := 0
	for round := range 2 {
		for i := range 1000 {
			for _, err := range []error{
				add("a", i, float64(round), nil), add("b", i, 7, nil), add("c", i, 0, tsdbutil.GenerateTestHistogram(int64(round))), add("d", i, 0, tsdbutil.GenerateTestHistogram(3)),
			} {
				if err != nil {
					refused++
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if refused != 2000 || count["refused metrics "+ReasonSameTime] != 2000 || count["stored metrics"] != 6000 || count["received metrics p"] != 8000 {
		t.Errorf("%d refused, %v", refused, count)
	}
	// The next batch knows nothing of this one, and the store's word counts.
	if err := add("a", 1, 9, nil); err != nil {
		t.Errorf("another batch: %v", err)
	}
}

// The store takes a series' exemplars in the order of their times: one from the
// future would keep out the others.
func TestExemplarsFromTheFutureAreLeftOut(t *testing.T) {
	m := &memory{}
	app := admission(t, m, tally{}).For("p").AppenderV2(context.Background())
	at := func(d time.Duration) exemplar.Exemplar {
		return exemplar.Exemplar{Value: 1, Ts: start.Add(d).UnixMilli(), HasTs: true}
	}
	_, err := app.Append(0, named(), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{Exemplars: []exemplar.Exemplar{at(24 * time.Hour), at(0), {Value: 2}}})
	var partial *storage.AppendPartialError
	if !errors.As(err, &partial) || len(partial.ExemplarErrors) != 1 || len(m.exemplars) != 2 {
		t.Errorf("%v, kept %v", err, m.exemplars)
	}
}

func BenchmarkAppend(b *testing.B) {
	a := admission(b, &memory{}, nil)
	var series []labels.Labels
	for i := range 1000 {
		series = append(series, labels.FromStrings("__name__", "m", "i", strconv.Itoa(i)))
	}
	refs := make([]storage.SeriesRef, len(series))
	at := start.UnixMilli()
	for b.Loop() {
		app := a.For("p").AppenderV2(b.Context())
		for i, ls := range series {
			refs[i], _ = app.Append(refs[i], ls, 0, at, 1, nil, nil, storage.AOptions{})
		}
		_ = app.Commit()
		at++
	}
}

func TestRefusalsLookLikeTheStoresOwnErrorsToPrometheusCode(t *testing.T) {
	app := admission(t, &memory{}, nil).For("p").AppenderV2(context.Background())
	_, err := app.Append(0, labels.EmptyLabels(), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{})
	if !errors.Is(err, storage.ErrOutOfBounds) {
		t.Errorf("%v is not ErrOutOfBounds: a scrape would give up the whole target", err)
	}
}

// A scrape must take every refusal for the sample's fault, and pushing code must see what it was: of too many
// series it tells the sender to come again.
func TestTheCauseOfARefusalIsSeenBehindIt(t *testing.T) {
	for _, cause := range []error{
		store.ErrSeriesLimit, storage.ErrTooOldSample, storage.ErrOutOfBounds, storage.ErrOutOfOrderSample,
		storage.ErrDuplicateSampleForTimestamp, histogram.ErrHistogramCountMismatch,
	} {
		app := admission(t, &memory{appendErr: fmt.Errorf("wrapped: %w", cause)}, nil).For("p").AppenderV2(context.Background())
		_, err := app.Append(0, named("a", "b"), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{})
		var r *RefusalError
		if !errors.As(err, &r) || !errors.Is(err, cause) {
			t.Errorf("%v hides %v", err, cause)
		}
		known := errors.Is(err, storage.ErrOutOfBounds) || errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrDuplicateSampleForTimestamp)
		if !known {
			t.Errorf("a scrape would give up the whole target for %v", err)
		}
	}
}

func TestMetadataIsKeptByFamilyAndBounded(t *testing.T) {
	a := admission(t, &memory{}, nil)
	app := a.For("p").AppenderV2(context.Background())
	hist := metadata.Metadata{Type: prommodel.MetricTypeHistogram, Help: strings.Repeat("é", 1000)}
	if _, err := app.Append(0, labels.FromStrings("__name__", "lat_bucket"), 0, start.UnixMilli(), 1, nil, nil, storage.AOptions{Metadata: hist}); err != nil {
		t.Fatal(err)
	}
	got := a.Metadata()["lat"]
	if got.Type != prommodel.MetricTypeHistogram || len(got.Help) > maxHelpBytes || !utf8.ValidString(got.Help) {
		t.Errorf("got %+v", got)
	}
	for i := range maxFamilies + 10 {
		a.Learn(fmt.Sprintf("m%d", i), metadata.Metadata{Type: prommodel.MetricTypeGauge})
	}
	if n := len(a.Metadata()); n != maxFamilies {
		t.Errorf("%d families, want %d", n, maxFamilies)
	}
}

func TestConfigNamesEveryWrongField(t *testing.T) {
	if errs := (Config{MaxFuture: -1}).Validate(); len(errs) != 4 {
		t.Errorf("got %v", errs)
	}
	if _, err := New(Config{}, Deps{Next: &memory{}}); err == nil {
		t.Error("an empty config was accepted")
	}
}

// Whatever the labels, admission neither panics nor lets through what the
// store could not keep, and its message stays short and readable.
func FuzzAdmission(f *testing.F) {
	f.Add("__name__", "up", "job", "a", int64(0))
	f.Add("__name__", "", "", "", int64(-1))
	f.Add("a", "\xff", "a", "b", int64(math.MaxInt64))
	f.Add("__name__", "x", "__name__", "y", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string, at int64) {
		if len(n1)+len(v1)+len(n2)+len(v2) > 1<<20 {
			t.Skip()
		}
		b := labels.NewScratchBuilder(2)
		b.Add(n1, v1)
		b.Add(n2, v2)
		b.Sort()
		ls := b.Labels()
		app := admission(t, &memory{}, nil).For("p").AppenderV2(context.Background())
		_, err := app.Append(0, ls, 0, at, 1, nil, nil, storage.AOptions{})
		if err == nil {
			if !ls.IsValid(prommodel.UTF8Validation) || ls.Get("__name__") == "" || n1 == n2 {
				t.Fatalf("admitted %q", ls.String())
			}
			return
		}
		if !utf8.ValidString(err.Error()) || len(err.Error()) > 1500 {
			t.Fatalf("message of %d bytes: %q", len(err.Error()), err)
		}
	})
}

func TestNumbersInLabelsHaveOneForm(t *testing.T) {
	m := &memory{}
	app := admission(t, m, tally{}).For("otlp").AppenderV2(context.Background())
	for _, pair := range [][2]string{{"d_bucket/le/1", "d_bucket/le/1.0"}, {"s/quantile/1", "s/quantile/1.0"}} {
		var refs [2]storage.SeriesRef
		for i, text := range pair {
			part := strings.Split(text, "/")
			var err error
			if refs[i], err = app.Append(0, labels.FromStrings("__name__", part[0], part[1], part[2]), 0, start.UnixMilli()+int64(i), 1, nil, nil, storage.AOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if refs[0] != refs[1] {
			t.Errorf("%s and %s are two series", pair[0], pair[1])
		}
	}
}

func TestHistogramsThatDifferOnlyInTheirBucketsAreTwoValues(t *testing.T) {
	a, b := tsdbutil.GenerateTestHistogram(1), tsdbutil.GenerateTestHistogram(1)
	b.PositiveBuckets[0]++
	b.PositiveBuckets[1] -= 2
	b.PositiveBuckets[2]++
	af, bf := a.ToFloat(nil), b.ToFloat(nil)
	for _, pair := range [][2]storageValue{{{h: a}, {h: b}}, {{fh: af}, {fh: bf}}} {
		count := tally{}
		app := admission(t, &memory{}, count).For("test").AppenderV2(context.Background())
		for i, v := range pair {
			_, err := app.Append(0, named(), 0, start.UnixMilli(), 0, v.h, v.fh, storage.AOptions{})
			var r *RefusalError
			if refused := errors.As(err, &r) && r.Reason == ReasonSameTime; refused != (i == 1) {
				t.Errorf("value %d: %v", i, err)
			}
		}
		_ = app.Rollback()
	}
}

type storageValue struct {
	h  *histogram.Histogram
	fh *histogram.FloatHistogram
}
