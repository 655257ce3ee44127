package canary

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/stat"
)

// Sample is what was seen of one version over the window.
type Sample struct {
	Version string
	// Bounds are the upper bounds of the classes of durations in seconds, the last
	// +Inf; Counts how many requests fell into each (not cumulative).
	Bounds, Counts []float64
	Events, Errors float64
	// Saturation is NaN when it is not known.
	Saturation float64
	// LastData is when the newest sample was taken; zero when there was none.
	LastData time.Time
}

// Compare judges a canary against a baseline. Of every check: what differs by
// more than the limit and surely so blocks; what differs by more than the
// limit but may be chance is insufficient; all else is allowed.
func Compare(cfg Config, now time.Time, baseline, canary Sample) Result {
	r := Result{Time: now.UTC(), Baseline: figures(baseline), Canary: figures(canary), Checks: []Check{}, Queries: []string{}}
	c := comparison{cfg: cfg, now: now, baseline: baseline, canary: canary}
	if c.data("baseline", baseline) && c.data("canary", canary) {
		c.ranks()
		c.tail(CheckP95, 0.95)
		c.tail(CheckP99, 0.99)
		c.errors()
		c.saturation()
	}
	r.Checks = append(r.Checks, c.checks...)
	slices.SortStableFunc(r.Checks, func(a, b Check) int { return cmp.Compare(strictness(a.Verdict), strictness(b.Verdict)) })
	r.Verdict = r.Checks[0].Verdict
	r.Summary = summary(r)
	return r
}

func strictness(v model.Verdict) int {
	return slices.Index([]model.Verdict{model.VerdictBlock, model.VerdictInsufficient, model.VerdictAllow}, v)
}

func summary(r Result) string {
	switch r.Verdict {
	case model.VerdictBlock:
		return "Worse: " + r.Checks[0].Message
	case model.VerdictInsufficient:
		return "Not enough data: " + r.Checks[0].Message
	}
	return fmt.Sprintf("No worse: %s against %s over %s and %s requests.", r.Canary.Version, r.Baseline.Version, human.Number(r.Canary.Events), human.Number(r.Baseline.Events))
}

// figures are a sample's numbers for people; what is unknown is nil.
func figures(s Sample) Figures {
	f := Figures{Version: s.Version, Events: known(s.Events), Errors: known(s.Errors), LastData: s.LastData}
	if s.Events > 0 && s.Errors >= 0 {
		f.ErrorRatio = number(s.Errors / s.Events)
	}
	quantile := func(q float64) *float64 {
		v, _ := stat.Quantile(q, s.Bounds, s.Counts)
		return number(v)
	}
	f.P50, f.P95, f.P99, f.Saturation = quantile(0.5), quantile(0.95), quantile(0.99), number(s.Saturation)
	return f
}

func known(v float64) float64 {
	if p := number(v); p != nil {
		return *p
	}
	return 0
}

func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

type comparison struct {
	cfg              Config
	now              time.Time
	baseline, canary Sample
	checks           []Check
}

func (c *comparison) add(check Check, format string, args ...any) {
	check.Message = fmt.Sprintf(format, args...)
	c.checks = append(c.checks, check)
}

// judge is the rule of every check: relevant and sure blocks, relevant alone is
// insufficient.
func judge(relevant, sure bool) model.Verdict {
	switch {
	case relevant && sure:
		return model.VerdictBlock
	case relevant:
		return model.VerdictInsufficient
	}
	return model.VerdictAllow
}

// data says whether a sample can be judged by at all.
func (c *comparison) data(role string, s Sample) bool {
	insufficient := Check{Name: CheckData, Verdict: model.VerdictInsufficient, Threshold: number(c.cfg.MinEvents)}
	age := c.now.Sub(s.LastData)
	switch {
	case math.IsNaN(s.Events) || math.IsInf(s.Events, 0) || math.IsNaN(s.Errors) || math.IsInf(s.Errors, 0) || s.Events < 0 || s.Errors < 0:
		c.add(insufficient, "the counts of the %s %s are no numbers.", role, s.Version)
	case s.Events == 0:
		c.add(insufficient, "no requests of the %s %s were seen: check the version's name, its environment and that its spans carry service.version.", role, s.Version)
	case s.LastData.IsZero() || age > time.Duration(c.cfg.StaleAfter):
		c.add(insufficient, "the %s %s has sent nothing for %s (limit %s).", role, s.Version, ageText(s.LastData, age), human.Duration(time.Duration(c.cfg.StaleAfter)))
	case s.Events < c.cfg.MinEvents*(1-1e-9):
		insufficient.Value = number(s.Events)
		c.add(insufficient, "the %s %s had %s requests only (at least %s are needed).", role, s.Version, human.Number(s.Events), human.Number(c.cfg.MinEvents))
	case !histogram(s):
		c.add(insufficient, "the %s %s has no usable histogram of durations.", role, s.Version)
	default:
		return true
	}
	return false
}

func ageText(last time.Time, age time.Duration) string {
	if last.IsZero() {
		return "longer than is looked back"
	}
	return human.Duration(age)
}

func histogram(s Sample) bool {
	var total float64
	for _, n := range s.Counts {
		if !(n >= 0) || math.IsInf(n, 0) {
			return false
		}
		total += n
	}
	return len(s.Bounds) == len(s.Counts) && len(s.Bounds) > 1 && total > 0 && slices.IsSorted(s.Bounds)
}

func (c *comparison) ranks() {
	if !slices.Equal(c.baseline.Bounds, c.canary.Bounds) {
		c.add(Check{Name: CheckRank, Verdict: model.VerdictInsufficient}, "the two versions' histograms have different classes; compare them once both use the same.")
		return
	}
	r, ok := stat.MannWhitney(c.baseline.Counts, c.canary.Counts)
	if !ok {
		// All answers are in one class: as far as was measured they are alike.
		c.add(Check{Name: CheckRank, Verdict: model.VerdictAllow, Value: number(r.Effect), Threshold: number(c.cfg.MinEffect)}, "all durations lie in one class of the histogram.")
		return
	}
	check := Check{
		Name: CheckRank, Value: number(r.Effect), Threshold: number(c.cfg.MinEffect), P: number(r.P),
		Verdict: judge(r.Effect > c.cfg.MinEffect, r.P < 1-c.cfg.Confidence),
	}
	c.add(check, "an answer of %s is slower than one of %s in %s of pairs (limit %s; p = %s).",
		c.canary.Version, c.baseline.Version, human.Percent(r.Effect), human.Percent(c.cfg.MinEffect), probability(r.P))
}

func probability(p float64) string {
	if p < 0.001 {
		return "below 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// tail compares a high quantile. A quantile of few requests is little more
// than chance, so the share of requests beyond the baseline's quantile must
// have grown surely too.
func (c *comparison) tail(name string, q float64) {
	label := fmt.Sprintf("P%d", int(q*100))
	check := Check{Name: name, Threshold: number(c.cfg.MaxLatencyRatio), Verdict: model.VerdictInsufficient}
	base, baseOK := stat.Quantile(q, c.baseline.Bounds, c.baseline.Counts)
	can, canOK := stat.Quantile(q, c.canary.Bounds, c.canary.Counts)
	switch {
	case !slices.Equal(c.baseline.Bounds, c.canary.Bounds):
		return // said by ranks
	case !baseOK && !canOK:
		c.add(check, "%s of both lies beyond the histogram's last bound of %s; it cannot be compared.", label, human.Seconds(base))
		return
	case !baseOK:
		check.Verdict = model.VerdictAllow
		c.add(check, "%s is %s, the baseline's lies beyond %s.", label, human.Seconds(can), human.Seconds(base))
		return
	case !(base > 0):
		c.add(check, "%s of the baseline is zero; there is no ratio.", label)
		return
	}
	n1, n2 := sum(c.canary.Counts), sum(c.baseline.Counts)
	x1, x2 := beyond(c.canary, base), beyond(c.baseline, base)
	low, high := stat.Newcombe(x1, n1, x2, n2, stat.TwoSided(c.cfg.Confidence))
	ratio := can / base
	check.Value, check.Low, check.High = number(ratio), number(low), number(high)
	check.Verdict = judge(ratio > c.cfg.MaxLatencyRatio || !canOK, low > 0)
	over := ""
	if !canOK {
		over = "more than "
	}
	c.add(check, "%s is %s%s against %s, %s (limit %s); %s against %s of requests are slower than the class in which the baseline's lies (difference %s to %s).",
		label, over, human.Seconds(can), human.Seconds(base), human.Times(ratio), human.Times(c.cfg.MaxLatencyRatio),
		human.Percent(x1/n1), human.Percent(x2/n2), points(low), points(high))
}

// beyond counts the requests in classes above the one that v lies in: exact,
// where within a class nothing is known.
func beyond(s Sample, v float64) float64 {
	i, _ := slices.BinarySearch(s.Bounds, v)
	return sum(s.Counts[min(i+1, len(s.Counts)):])
}

func sum(counts []float64) (n float64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func (c *comparison) errors() {
	b, k := c.baseline, c.canary
	low, high := stat.Newcombe(k.Errors, k.Events, b.Errors, b.Events, stat.TwoSided(c.cfg.Confidence))
	more := k.Errors/k.Events - b.Errors/b.Events
	check := Check{
		Name: CheckErrors, Value: number(more), Threshold: number(c.cfg.MaxErrorIncrease), Low: number(low), High: number(high),
		Verdict: judge(more > c.cfg.MaxErrorIncrease*(1+1e-9), low > 0),
	}
	c.add(check, "%s of %s requests fail, %s of %s of the baseline (difference %s to %s, limit %s).",
		human.Percent(k.Errors/k.Events), human.Number(k.Events), human.Percent(b.Errors/b.Events), human.Number(b.Events),
		points(low), points(high), points(c.cfg.MaxErrorIncrease))
}

// points is a difference of shares in percentage points.
func points(d float64) string { return fmt.Sprintf("%+.2f pp", 100*d) }

func (c *comparison) saturation() {
	if c.cfg.Saturation == "" {
		return
	}
	check := Check{Name: CheckSaturation, Threshold: number(c.cfg.MaxSaturationRatio), Verdict: model.VerdictInsufficient}
	b, k := c.baseline.Saturation, c.canary.Saturation
	if number(b) == nil || number(k) == nil || b <= 0 {
		c.add(check, "the saturation of one version is not known; check canary.saturation.")
		return
	}
	check.Value = number(k / b)
	check.Verdict = judge(k/b > c.cfg.MaxSaturationRatio, true)
	c.add(check, "saturation is %s against %s, %s (limit %s).", human.Number(k), human.Number(b), human.Times(k/b), human.Times(c.cfg.MaxSaturationRatio))
}
