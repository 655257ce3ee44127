package indicator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// fussy refuses queries that hold a text.
type fussy struct {
	Querier
	refused string
	n       int // refused questions
}

var errTooMuch = errors.New("too much at once")

func (f *fussy) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	if strings.Contains(expr, f.refused) {
		f.n++
		return nil, errTooMuch
	}
	return f.Querier.Instant(ctx, expr, t)
}

func (f *fussy) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	if strings.Contains(expr, f.refused) {
		f.n++
		return nil, errTooMuch
	}
	return f.Querier.Range(ctx, expr, start, end, step)
}

// Where all together are too much, each is asked for alone, and what was refused is not tried again in the same evaluation.
func TestARefusedFamilyIsAskedForOneByOne(t *testing.T) {
	q := stored(t, 5)
	src := ratios(t, 5)
	f := &fussy{Querier: q, refused: "=~"}
	b := NewBatch(f, FamiliesOf(src))
	for _, s := range src {
		want, err := s.Live(t.Context(), q, at(5), at(10))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Live(t.Context(), b, at(5), at(10))
		if err != nil || !near(got, want) {
			t.Errorf("live: %+v %v, want %+v", got, err, want)
		}
		wants, err := s.Cells(t.Context(), q, at(5), at(10), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		cells, err := s.Cells(t.Context(), b, at(5), at(10), time.Minute)
		for i := range wants {
			if err != nil || !near(cells[i], wants[i]) {
				t.Errorf("minute %d: %+v %v, want %+v", i, cells, err, wants[i])
			}
		}
		newest, ok, err := s.Newest(t.Context(), b, at(10))
		if err != nil || !ok || !newest.Equal(at(9.5)) {
			t.Errorf("newest %s %t %v", newest, ok, err)
		}
	}
	if f.n != 5 { // total and bad events, at a time and over minutes, and the newest of total
		t.Errorf("%d questions were refused, want 5: one for each family and kind", f.n)
	}
}

// A failure is of the evaluation in which it happens: nothing of it is remembered as an answer.
func TestAnErrorIsNoAnswer(t *testing.T) {
	q := &scripted{at: func(time.Time) (float64, bool) { return 7, true }, err: errTooMuch}
	b := NewBatch(q, nil)
	if _, err := b.Instant(t.Context(), "x", midnight); !errors.Is(err, errTooMuch) {
		t.Error(err)
	}
	q.err = nil
	for range 3 {
		if got, err := b.Instant(t.Context(), "x", midnight); err != nil || len(got) != 1 || got[0].Value != 7 {
			t.Errorf("%v %v", got, err)
		}
	}
	if q.asked != 2 {
		t.Errorf("asked %d times, want once for the failure and once for the answer", q.asked)
	}
	if _, err := b.Instant(t.Context(), "x", at(1)); err != nil || q.asked != 3 {
		t.Errorf("another time is another question: asked %d times, %v", q.asked, err)
	}
}

func TestWhoIsAskedForTogether(t *testing.T) {
	sizes := func(sources []Source) (out map[string]int) {
		out = map[string]int{}
		for _, m := range FamiliesOf(sources) {
			out[m.label] = max(out[m.label], len(m.values))
		}
		return out
	}
	if got := FamiliesOf(ratios(t, 3)); len(got) != 0 {
		t.Errorf("three are no family: %v", got)
	}
	if got := sizes(ratios(t, 4)); got["service"] != 4 {
		t.Errorf("four are one: %v", got)
	}
	// So many in one query and no more; each is in one that holds it.
	many := ratios(t, 251)
	families := FamiliesOf(many)
	if len(families) != 502 {
		t.Errorf("%d counters have a family, want both of each of 251", len(families))
	}
	seen := map[*family]bool{}
	for _, m := range families {
		seen[m.family] = true
		if len(m.values) > 250 {
			t.Fatalf("%d values in one query", len(m.values))
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d families, want two for total and two for bad events", len(seen))
	}
	// Of two labels it is the one by which more belong together.
	var two []Source
	for i := range 12 {
		sel := fmt.Sprintf(`{zone="z%d",service="s%d"}`, i%2, i)
		if i%2 == 1 {
			sel = fmt.Sprintf(`{zone="z%d",service="s"}`, i)
		}
		two = append(two, &Ratio{Bad: counter(t, "b_total"+sel), Total: counter(t, "t_total"+sel)})
	}
	if got := sizes(two); got["service"] != 6 || got["zone"] != 6 {
		t.Errorf("%v, want six services of one zone and six zones of one service", got)
	}
	if got := FamiliesOf([]Source{&Values{}, &EventRatio{Total: compare("service", "a")}}); len(got) != 0 {
		t.Errorf("what has no counters has no family: %v", got)
	}
}
