package part

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

func TestAShapeIsTheFirstEightBytesWithDigitsMasked(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"id 1234 open", "id 9876 shut", 0}, // the ninth byte and later do not count
		{"id 1234", "id 12345", -1},         // another length within the eight is another shape
		{"1", "0", 0},
		{"a", "b", -1},
		{"", "a", -1},
		{"a", "aa", -1},
		{"Z", "a", -1},
		{"ü", "z", 1}, // by bytes
		{"/", "9", -1},
		{":", "9", 1}, // the bytes beside the digits are none
		{"12345678x", "87654321y", 0},
	} {
		if got := cmp.Compare(shape([]byte(c.a)), shape([]byte(c.b))); got != c.want {
			t.Errorf("shapes of %q and %q compare as %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// naiveShape is what doc.go says of it.
func naiveShape(message string) string {
	b := make([]byte, 8)
	copy(b, message)
	for i, c := range b {
		if c >= '0' && c <= '9' {
			b[i] = '0'
		}
	}
	return string(b)
}

func TestLogsLieByShapeServiceAndTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) model.LogRecord {
			return model.LogRecord{
				Time:    rapid.Int64Range(-3, 3).Draw(t, "time"),
				Message: rapid.SampledFrom([]string{"", "get 1", "get 2", "get 22", "ü", "a much longer 1", "a much longer 2"}).Draw(t, "message"),
				Resource: &model.Resource{
					Service: rapid.SampledFrom([]string{"", "a", "b", "ä"}).Draw(t, "service"), Env: rapid.SampledFrom([]string{"", "x"}).Draw(t, "env"),
				},
			}
		}), 0, 40).Draw(t, "records")
		b := head.NewLogs(1)
		b.Append(records)
		want := make([]int32, len(records))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(i, j int32) int {
			a, b := &records[i], &records[j]
			return cmp.Or(cmp.Compare(naiveShape(a.Message), naiveShape(b.Message)), cmp.Compare(a.Resource.Service, b.Resource.Service), cmp.Compare(a.Time, b.Time))
		})
		if got := orderLogs(b.Snapshot()); !slices.Equal(got, want) {
			t.Fatalf("order %v, want %v", got, want)
		}
	})
}

func TestSpansLieByTraceInOrderOfArrivalAndThenByStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) model.Span {
			return model.Span{TraceID: model.TraceID{rapid.ByteRange(0, 4).Draw(t, "trace")}, Start: rapid.Int64Range(-3, 3).Draw(t, "start")}
		}), 0, 40).Draw(t, "spans")
		b := head.NewSpans(1)
		b.Append(spans)
		var want []int32
		done := map[model.TraceID]bool{}
		for i := range spans {
			if done[spans[i].TraceID] {
				continue
			}
			done[spans[i].TraceID] = true
			var run []int32
			for j := range spans {
				if spans[j].TraceID == spans[i].TraceID {
					run = append(run, int32(j))
				}
			}
			slices.SortStableFunc(run, func(a, b int32) int { return cmp.Compare(spans[a].Start, spans[b].Start) })
			want = append(want, run...)
		}
		if got := orderSpans(b.Snapshot()); !slices.Equal(got, want) {
			t.Fatalf("order %v, want %v", got, want)
		}
	})
}

// Sealing the same rows again, as merging does, must not change their order.
func TestOrderIsKeptByAnotherRound(t *testing.T) {
	p := writeSomeLogs(t, someLogs(700))
	b := head.NewLogs(1)
	if err := ReadLogs(nil, p.Path(), b); err != nil {
		t.Fatal(err)
	}
	for i, row := range orderLogs(b.Snapshot()) {
		if int(row) != i {
			t.Fatalf("row %d moves to %d", row, i)
		}
	}
	q := writeSomeSpans(t, someSpans(700))
	s := head.NewSpans(1)
	if err := ReadSpans(nil, q.Path(), s); err != nil {
		t.Fatal(err)
	}
	for i, row := range orderSpans(s.Snapshot()) {
		if int(row) != i {
			t.Fatalf("span %d moves to %d", row, i)
		}
	}
}

func ExampleName() {
	fmt.Println(Name(day+1, day+59e9+1, 0x5e8a1b2c3d4e5))
	fmt.Println(Name(day, day, 1))
	// Output:
	// 20261121T000000Z-20261121T000100Z-0005e8a1b2c3d4e5
	// 20261121T000000Z-20261121T000000Z-0000000000000001
}
