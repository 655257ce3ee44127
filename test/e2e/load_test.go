package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/bench"
	"github.com/signalbox-project/signalbox/internal/model"
)

var (
	loadSLOs   = flag.Int("load-slos", 100, "how many SLOs TestSLOsUnderLoad keeps")
	loadRate   = flag.Float64("load-rate", 20_000, "samples a second that TestSLOsUnderLoad sends besides theirs")
	loadSeries = flag.Int("load-series", 10_000, "series of those samples")
	loadFor    = flag.Duration("load-for", 3*time.Second, "how long TestSLOsUnderLoad measures")
	loadTrials = flag.Int("load-trials", 3, "pages under load that TestSLOsUnderLoad times")
)

// cost is what a server used while it was measured.
type cost struct {
	cores    float64 // CPU seconds a second
	resident int64   // bytes, at the end
}

func measure(s *server, work func()) cost {
	from, _ := bench.Process(s.cmd.Process.Pid)
	began := time.Now()
	work()
	took := time.Since(began).Seconds()
	to, resident := bench.Process(s.cmd.Process.Pid)
	return cost{(to - from) / took, resident}
}

func (c cost) String() string { return fmt.Sprintf("%.3f cores, %d MB", c.cores, c.resident>>20) }

// TestSLOsUnderLoad measures what SLOs cost, at rest and while samples
// pour in, against the same without them. Under load every SLO must be judged
// with data of the last scrape, and pages must come.
func TestSLOsUnderLoad(t *testing.T) {
	n := *loadSLOs
	t.Logf("%d SLOs over %d series scraped every 15 s; %.0f samples/s of %d other series", n, 2*n, *loadRate, *loadSeries)
	for _, slos := range []int{0, n} {
		t.Run(fmt.Sprintf("with %d SLOs", slos), func(t *testing.T) { underLoad(t, n, slos) })
	}
}

func underLoad(t *testing.T, services, slos int) {
	paged := make(chan page, 100)
	o := asShipped(t, slos, pageCatcher(t, paged))
	o.dir = t.TempDir()
	f := newFleet(t, nil, services)
	began := time.Now().Truncate(time.Second)
	if slos > 0 {
		// The history of so many new SLOs takes long at a tenth of a core; what was
		// read is kept, so that a start finds it.
		first := o
		first.config += "slo: {cpu_share: 1}\n"
		f.s = start(t, first)
		f.history(began)
		f.whileScraped(func() { settled(t, f.s, slos) })
		t.Logf("all judged well after %s of a whole core", time.Since(began).Round(time.Second))
		if err := f.s.stop(); err != nil {
			t.Fatal(err)
		}
		f.s = start(t, o)
	} else {
		f.s = start(t, o)
		f.history(began)
	}
	f.whileScraped(func() { f.underLoad(slos, paged) })
}

// whileScraped does something while the services are scraped.
func (f *fleet) whileScraped(work func()) {
	ctx, stop := context.WithCancel(f.t.Context())
	var scraping sync.WaitGroup
	defer scraping.Wait()
	defer stop()
	scraping.Go(func() { f.keepScraping(ctx) })
	work()
}

func (f *fleet) underLoad(slos int, paged <-chan page) {
	t, s := f.t, f.s
	if slos > 0 {
		began := time.Now()
		settled(t, s, slos)
		t.Logf("all judged well %s after a restart", time.Since(began).Round(time.Second))
	}
	t.Logf("at rest:    %s", measure(s, func() { pause(t, *loadFor) }))

	stream, err := bench.EncodeStream("load", *loadSeries, 5000, *loadRate, *loadFor, time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var result bench.StreamResult
	var latencies []time.Duration
	c := measure(s, func() {
		var sending sync.WaitGroup
		sending.Go(func() { result, err = stream.Send(t.Context(), s.URL, 4) })
		if slos > 0 {
			latencies = pagesUnderLoad(t, f, paged)
		}
		sending.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("under load: %s; %.0f samples/s in %.0f s, %.2f cores per million; P50 %.0f ms, P99 %.0f ms, max %.0f ms, %d retried, %s behind plan at the end",
		c, float64(result.Samples)/result.Seconds, result.Seconds, c.cores*result.Seconds/float64(result.Samples)*1e6,
		result.P50, result.P99, result.Max, result.Retried, result.Behind.Round(time.Millisecond))
	if slos > 0 {
		t.Logf("acknowledged → webhook under load, %d trials: %s", len(latencies), quantiles(latencies))
		inTime(t, s, slos, len(latencies))
	}
}

// pagesUnderLoad makes some services fail while the load lasts.
func pagesUnderLoad(t *testing.T, f *fleet, paged <-chan page) (latencies []time.Duration) {
	rng := rand.New(rand.NewPCG(3, 4))
	gap := *loadFor / time.Duration(*loadTrials+1)
	for i := range *loadTrials {
		pause(t, gap/2+time.Duration(rng.Float64()*float64(gap/2)))
		_, acknowledged := f.fail(i)
		latencies = append(latencies, awaitPage(t, paged, serviceName(i), time.Minute).Sub(acknowledged))
	}
	slices.Sort(latencies)
	return latencies
}

// inTime holds all SLOs to be judged, lately and well but for those that were
// made to fail.
func inTime(t *testing.T, s *server, slos, failing int) {
	t.Helper()
	var list struct {
		SLOs []model.SLOStatus `json:"slos"`
	}
	s.get("/sb/v1/slos", nil, &list)
	now := time.Now()
	states := map[model.SLOState]int{}
	oldest := time.Duration(0)
	for _, o := range list.SLOs {
		states[o.State]++
		oldest = max(oldest, now.Sub(o.Time))
	}
	t.Logf("states %v, the oldest judgement is %s old", states, oldest.Round(time.Millisecond))
	if states[model.SLOOK] != slos-failing || oldest > 30*time.Second {
		t.Errorf("of %d SLOs, %d made to fail: %v, judged %s ago", slos, failing, states, oldest)
	}
}
