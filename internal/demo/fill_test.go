package demo

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/simulate"
)

// perMinute counts by whole minutes before the end.
func perMinute(moments []simulate.Moment, now time.Time) map[int]float64 {
	out := map[int]float64{}
	for _, m := range moments {
		out[int(now.Sub(m.Time)/time.Minute)]++
	}
	return out
}

// requestsPerMinute are those that the history's metrics tell, at the edge.
func requestsPerMinute() map[int]float64 {
	out := map[int]float64{}
	for _, s := range past() {
		if label(s, "__name__") != "http_server_request_duration_seconds_count" || label(s, "service") != simulate.Edge {
			continue
		}
		for i := 1; i < len(s.Samples); i++ {
			at := time.UnixMilli(s.Samples[i].Timestamp).Add(-latestStep / 2)
			if back := end.Sub(at); back < latest {
				out[int(back/time.Minute)] += s.Samples[i].Value - s.Samples[i-1].Value
			}
		}
	}
	return out
}

// Where the history ends and live data begin, nothing steps: per minute there are as many requests with logs and spans as the
// metrics count, and in the last minutes as many as live. Each request is one of the platform's own, with the
// same logs and spans (simulate's TestARequestOfThePastLeavesWhatALiveOneDoes).
func TestNothingStepsWhereTheHistoryMeetsTheLiveData(t *testing.T) {
	const rps = 20
	told := requestsPerMinute()
	sent := perMinute(arrivals(end.Add(-latest), end, end, rps, 1), end)
	all := map[string]float64{}
	for m := range int(latest / time.Minute) {
		// 6 standard deviations of what is drawn: 780 to 1200 requests a minute.
		if d := math.Abs(sent[m] - told[m]); d > 6*math.Sqrt(told[m])+0.06*told[m] {
			t.Errorf("%d minutes before now %.0f requests have logs and spans, metrics tell %.0f", m, sent[m], told[m])
		}
		all["sent"] += sent[m]
		all["told"] += told[m]
	}
	if ratio := all["sent"] / all["told"]; ratio < 0.98 || ratio > 1.02 {
		t.Errorf("%.0f requests have logs and spans, metrics tell %.0f", all["sent"], all["told"])
	}
	const live = rps * 60
	for _, of := range []map[int]float64{told, sent} {
		if of[0] < live*0.85 || of[0] > live*1.15 {
			t.Errorf("the last minute has %.0f requests, live ones %d", of[0], live)
		}
	}
	for m := 1; m < 60; m++ {
		if d := shape(end.Add(-time.Duration(m-1)*time.Minute), end) - shape(end.Add(-time.Duration(m)*time.Minute), end); math.Abs(d) > 0.06 {
			t.Errorf("the traffic steps by %.2f of the live rate %d minutes before now", d, m)
		}
	}
}

// Every moment of the newest hours is sent once, the newest first, and none so young that the server counts its spans as live ones.
func TestTheNewestHoursAreFilledOnceAndNeverWhileTheyCountAsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		cfg := DefaultConfig()
		d := &Demo{cfg: cfg, log: slog.New(slog.DiscardHandler)}
		var all []simulate.Moment
		next, firstPiece := uint64(0), time.Duration(0)
		d.replay = func(_ context.Context, _ simulate.Config, _ simulate.Deps, first uint64, moments []simulate.Moment) (simulate.Stats, error) {
			if first < next {
				t.Errorf("number %d was used before", first)
			}
			next = first + uint64(len(moments))
			time.Sleep(time.Duration(len(moments)) * 100 * time.Microsecond)
			if len(all) == 0 {
				firstPiece = now.Sub(moments[0].Time)
			}
			all = append(all, moments...)
			for _, m := range moments {
				if age := time.Since(m.Time); age < time.Minute {
					t.Fatalf("a request is sent %s after it was: its spans count as live", age)
				}
			}
			return simulate.Stats{Requests: uint64(len(moments))}, nil
		}
		d.fill(t.Context(), now)
		if firstPiece > seam+piece {
			t.Errorf("it began %s before now", firstPiece)
		}
		want := 0.0
		for at := now.Add(-latest); at.Before(now); at = at.Add(time.Second) {
			want += 20 * shape(at, now)
		}
		if n := float64(len(all)); math.Abs(n-want)/want > 0.02 {
			t.Errorf("%.0f requests were sent, want %.0f", n, want)
		}
		seen := map[time.Time]bool{}
		for _, m := range all {
			if seen[m.Time] || m.Time.Before(now.Add(-latest)) || !m.Time.Before(now) {
				t.Fatalf("%s before now: twice, or of another time", now.Sub(m.Time))
			}
			seen[m.Time] = true
		}
	})
}
