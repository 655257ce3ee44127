package cause

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
)

// platform is a world in which it is known what broke: services call each other, one of them is
// broken, and whatever needs it fails with it. The facts are what would be measured there, so who is to be
// named follows from how the world was made and from no rule of the product.
type platform struct {
	calls  [][]int // callees of each service, all of a greater number
	broken int
	bad    []bool // services that fail
}

func service(i int) string { return fmt.Sprintf("s%d", i) }

func anyPlatform(t *rapid.T) platform {
	n := rapid.IntRange(2, 7).Draw(t, "services")
	p := platform{calls: make([][]int, n), bad: make([]bool, n)}
	for i := range n {
		for j := i + 1; j < n; j++ {
			if rapid.IntRange(0, 2).Draw(t, "calls") == 0 {
				p.calls[i] = append(p.calls[i], j)
			}
		}
	}
	p.broken = rapid.IntRange(0, n-1).Draw(t, "broken")
	for i := n - 1; i >= 0; i-- {
		p.bad[i] = i == p.broken || slices.ContainsFunc(p.calls[i], func(j int) bool { return p.bad[j] })
	}
	return p
}

// hops is how many calls lie between a service and the broken one; -1 is no way.
func (p platform) hops(from int) int {
	if from == p.broken {
		return 0
	}
	best := -1
	for _, j := range p.calls[from] {
		if h := p.hops(j); h >= 0 && (best < 0 || h+1 < best) {
			best = h + 1
		}
	}
	return best
}

// measure is what is seen of it: each failed request failed in one of the calls to a service that
// fails, in equal parts.
func (p platform) measure(t *rapid.T, f *Facts, broke time.Time) map[int]time.Time {
	f.Failed = map[string]float64{}
	since := map[int]time.Time{}
	for i, callees := range p.calls {
		var failing []int
		for _, j := range callees {
			if p.bad[j] {
				failing = append(failing, j)
			}
		}
		for _, j := range callees {
			e := model.Edge{Client: service(i), Server: service(j), Kind: "call", Calls: 10_000}
			if p.bad[j] {
				e.Errors = uint64(1200 / len(failing))
			}
			f.Edges = append(f.Edges, e)
		}
		if p.bad[i] {
			f.Failed[service(i)] = 1200
			since[i] = broke.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seen after s")) * time.Second)
			f.Failing = append(f.Failing, Failing{Service: service(i), Since: since[i]})
		}
	}
	return since
}

// noise are changes that did nothing: of services that are well, of long ago, taken back long before, of elsewhere.
func noise(t *rapid.T, n int, broke time.Time) (out []model.Deploy) {
	for k := range rapid.IntRange(0, 4).Draw(t, "noise") {
		d := model.Deploy{Service: service(rapid.IntRange(0, n-1).Draw(t, "of")), Environment: "prod", Kind: "deploy", Status: "succeeded", Version: fmt.Sprintf("noise-%d", k)}
		switch rapid.IntRange(0, 2).Draw(t, "why it did nothing") {
		case 0:
			d.Time = broke.Add(-2*time.Hour - time.Duration(k)*time.Minute)
		case 1:
			d.Time, d.Environment = broke.Add(-time.Minute), "test"
		case 2:
			d.Time = broke.Add(rapid.SampledFrom([]time.Duration{10 * time.Minute, 12 * time.Minute}).Draw(t, "afterwards"))
		}
		out = append(out, d)
	}
	return out
}

func TestWhatBrokeIsNamed(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlatform(t)
		broke := onset
		f := Facts{Changes: noise(t, len(p.calls), broke)}
		since := p.measure(t, &f, broke)
		var asked []int
		for i := range p.calls {
			if p.bad[i] && p.hops(i) <= maxHops {
				asked = append(asked, i)
			}
		}
		of := rapid.SampledFrom(asked).Draw(t, "symptom")
		byChange := rapid.Bool().Draw(t, "by a change")
		if byChange {
			f.Changes = append(f.Changes, model.Deploy{Service: service(p.broken), Environment: "prod", Kind: "config", Status: "succeeded", Version: "culprit", Time: broke.Add(-30 * time.Second)})
		}
		f.Failing = rapid.Permutation(f.Failing).Draw(t, "order")
		got := Of(Symptom{Service: service(of), Environment: "prod", Since: since[of], At: broke.Add(20 * time.Minute), Window: 5 * time.Minute}, f)
		want := model.CauseUpstream
		switch {
		case of == p.broken && byChange:
			want = model.CauseChange
		case of == p.broken:
			want = model.CauseUnknown
		}
		seen[want]++
		if got.Kind != want || got.Service != service(p.broken) || (got.Change != nil) != byChange || byChange && got.Change.Version != "culprit" {
			t.Fatalf("%s is broken (by a change: %v), asked of %s, named %s %s with %+v: %s\n%+v", service(p.broken), byChange, service(of), got.Kind, got.Service, got.Change, got.Text, p)
		}
		if want != model.CauseUpstream {
			return
		}
		if len(got.Path) != p.hops(of)+1 || got.Path[0] != service(of) || got.Path[len(got.Path)-1] != service(p.broken) {
			t.Fatalf("from %s to %s by %v, the shortest way is %d calls", service(of), service(p.broken), got.Path, p.hops(of))
		}
		for k := range got.Path[1:] {
			if !slices.ContainsFunc(f.Edges, func(e model.Edge) bool { return e.Client == got.Path[k] && e.Server == got.Path[k+1] && e.Errors > 0 }) {
				t.Fatalf("%v: no failed call from %s to %s", got.Path, got.Path[k], got.Path[k+1])
			}
		}
	})
	for _, kind := range []string{model.CauseUpstream, model.CauseChange, model.CauseUnknown} {
		if seen[kind] == 0 {
			t.Errorf("no world with %s: %v", kind, seen)
		}
	}
}
