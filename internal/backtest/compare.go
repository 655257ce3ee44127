package backtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// figures are the numbers of one outcome, in the order in which they are shown.
type figures struct {
	names []string
	by    map[string]Difference
}

func (f *figures) add(what, unit string, v float64) {
	d, known := f.by[what]
	if !known {
		f.names = append(f.names, what)
	}
	d.What, d.Unit = what, unit
	d.A += v
	f.by[what] = d
}

func figuresOf(o Outcome) figures {
	f := figures{by: map[string]Difference{}}
	f.add("pages", "", 0)
	f.add("time paged", "s", 0)
	f.add("other notifications", "", 0)
	f.add("alerts", "", float64(len(o.Alerts)))
	for _, p := range o.Pages {
		if paging(p) {
			f.add("pages", "", 1)
			f.add("time paged", "s", p.Seconds)
			f.add("pages to "+p.Receiver, "", 1)
		} else {
			f.add("other notifications", "", 1)
		}
	}
	for _, v := range []model.Verdict{model.VerdictAllow, model.VerdictHold, model.VerdictBlock, model.VerdictInsufficient} {
		f.add("deployments: "+string(v), "", 0)
	}
	for _, d := range o.Deploys {
		f.add("deployments: "+string(d.Verdict), "", 1)
	}
	for _, p := range o.SLOs {
		for _, b := range p.Bands {
			f.add("time in band "+b.Name, "s", b.Seconds)
		}
		f.add("time unknown", "s", p.Unknown)
	}
	for _, p := range o.SLOs {
		if p.UsedAtEnd != nil {
			f.add(p.Name+": budget used at the end", "%", 100**p.UsedAtEnd)
		}
		f.add(p.Name+": alerts", "", float64(p.Alerts))
	}
	return f
}

// difference puts two outcomes side by side.
func difference(a, b Outcome) []Difference {
	fa, fb := figuresOf(a), figuresOf(b)
	for _, name := range fb.names {
		if _, known := fa.by[name]; !known {
			fa.names = append(fa.names, name)
		}
	}
	out := []Difference{}
	for _, name := range fa.names {
		d := fa.by[name]
		other := fb.by[name]
		d.What, d.B = name, other.A
		d.Unit = max(d.Unit, other.Unit)
		d.Difference = d.B - d.A
		out = append(out, d)
	}
	return out
}

// summary is the result in one sentence.
func summary(r *Result) string {
	span := human.Duration(r.End.Sub(r.Start))
	if len(r.Sets) == 1 {
		return "In " + span + ": " + tally(r.Sets[0]) + "."
	}
	return "In " + span + ": A: " + tally(r.Sets[0]) + "; B: " + tally(r.Sets[1]) + "."
}

func tally(o Outcome) string {
	count, to, paged := 0, map[string]int{}, time.Duration(0)
	for _, p := range o.Pages {
		if paging(p) {
			count++
			to[p.Receiver]++
			paged += time.Duration(p.Seconds * float64(time.Second))
		}
	}
	text := fmt.Sprintf("%d pages", count)
	if count == 1 {
		text = "1 page"
	}
	if count > 0 {
		var who []string
		for _, receiver := range slices.Sorted(maps.Keys(to)) {
			who = append(who, fmt.Sprintf("%d to %s", to[receiver], receiver))
		}
		text += fmt.Sprintf(" (%s) over %s", strings.Join(who, ", "), human.Duration(paged))
	}
	if n := len(o.Pages) - count; n > 0 {
		text += fmt.Sprintf(", %d other notifications", n)
	}
	if len(o.Deploys) > 0 {
		by := map[model.Verdict]int{}
		for _, d := range o.Deploys {
			by[d.Verdict]++
		}
		text += fmt.Sprintf("; of %d deployments %d allowed, %d held, %d blocked, %d without enough data", len(o.Deploys),
			by[model.VerdictAllow], by[model.VerdictHold], by[model.VerdictBlock], by[model.VerdictInsufficient])
	}
	return text
}
