package signs

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	// maxSeries bounds the series of one service.
	maxSeries = 3000
	// coarse is the step of the day before, fine that of the window.
	coarse, fine = 5 * time.Minute, time.Minute
	// minHistory is an hour of points: less is no normal to compare with.
	minHistory = 12
	// minZ is how many robust standard deviations from its median is unusual, minChange the share of it that it must change, and maxZ
	// what counts as no further out.
	minZ, minChange, maxZ = 6.0, 0.25, 100.0
	// floor is the least that counts as a deviation, as a share of the median: a flat line that moves a little is no news.
	floor = 0.02
	// nearlyFull is the share of its limit from which on a pool weighs fullWeight as much; unwatched is the weight of what no rule names.
	nearlyFull, fullWeight, unwatched = 0.8, 10.0, 2.0
)

// leftOut are series that say nothing by themselves: histograms' buckets, what Signalbox and its rules made of others.
const leftOut = `signalbox_.+|ALERTS.*|.+_bucket|.+_created|scrape_.+|up|.*:.*`

// apartBy are labels that tell copies of one thing apart, which come and go.
func apartBy(label string) bool {
	return slices.Contains([]string{"instance", "pod", "pod_name", "container", "container_id", "host", "host_name", "node", "replica", "job", "version", "service_version", "service_instance_id"}, label)
}

// metrics are the metrics of one service that left what they were.
func (f Finder) metrics(ctx context.Context, w window, out *Found) ([]Sign, error) {
	if f.Metrics == nil {
		return nil, nil
	}
	selector := fmt.Sprintf(`{service=%s,__name__!~"%s"}`, strconv.Quote(w.service), leftOut)
	if w.environment != "" {
		selector = strings.TrimSuffix(selector, "}") + fmt.Sprintf(`,env=~%s}`, strconv.Quote("|"+regexp.QuoteMeta(w.environment)))
	}
	n, err := f.Metrics.Instant(ctx, "count("+selector+")", w.end)
	if err != nil || len(n) == 0 {
		return nil, err
	}
	if n[0].Value > maxSeries {
		out.miss("metrics of %s: it has %.0f series, and at most %d are compared", w.service, n[0].Value, maxSeries)
		return nil, nil
	}
	from := w.start.Add(-lead)
	before, err := f.Metrics.Range(ctx, selector, w.start.Add(-history), from, coarse)
	if err != nil {
		return nil, err
	}
	during, err := f.Metrics.Range(ctx, selector, from, w.end, fine)
	if err != nil {
		return nil, err
	}
	was, is := curvesOf(before), curvesOf(during)
	var signs []Sign
	young, rules := 0, f.rules()
	for key, c := range is {
		old, ok := was[key]
		if !ok || len(old.at) < minHistory {
			young++
			continue
		}
		if o, ok := judge(old.values(), c); ok {
			signs = append(signs, c.sign(w, o, is, rules))
		}
	}
	if young > 0 {
		out.miss("%d metrics of %s with less than an hour of history", young, w.service)
	}
	return onePerName(signs), nil
}

func (f Finder) rules() string {
	if f.Rules == nil {
		return ""
	}
	return strings.Join(f.Rules(), "\n")
}

// onePerName keeps the furthest out of each metric.
func onePerName(list []Sign) []Sign {
	seen := map[string]bool{}
	return slices.DeleteFunc(best(list, len(list)), func(s Sign) bool {
		was := seen[s.Name]
		seen[s.Name] = true
		return was
	})
}

// curve is one thing over time, whatever copies of it there are: the largest of gauges, the sum of what counters grow by in a second.
type curve struct {
	name    string
	labels  model.Labels
	counter bool
	at      map[int64]float64
}

func (c *curve) times() []int64 {
	var out []int64
	for t := range c.at {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

func (c *curve) values() []float64 {
	out := make([]float64, 0, len(c.at))
	for _, v := range c.at {
		out = append(out, v)
	}
	return out
}

func isCounter(name string) bool {
	return strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_count") && !strings.HasSuffix(name, "connection_count") || strings.HasSuffix(name, "_sum")
}

func curvesOf(list []model.Series) map[string]*curve {
	out := map[string]*curve{}
	for _, s := range list {
		c := &curve{name: s.Labels["__name__"], labels: model.Labels{}, at: map[int64]float64{}}
		c.counter = isCounter(c.name)
		for k, v := range s.Labels {
			if k != "__name__" && !apartBy(k) {
				c.labels[k] = v
			}
		}
		key := c.key(c.name)
		if out[key] == nil {
			out[key] = c
		}
		out[key].add(s.Points)
	}
	return out
}

// key names a metric with the labels of a curve.
func (c *curve) key(name string) string {
	names := make([]string, 0, len(c.labels))
	for k := range c.labels {
		names = append(names, k)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(name)
	for _, k := range names {
		fmt.Fprintf(&b, "\x00%s\x00%s", k, c.labels[k])
	}
	return b.String()
}

func (c *curve) add(points []model.Point) {
	for i, p := range points {
		t, v := p.Time.Unix(), p.Value
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		old, there := c.at[t]
		switch {
		case !c.counter && (!there || v > old):
			c.at[t] = v
		case c.counter && i > 0:
			grown, seconds := v-points[i-1].Value, p.Time.Sub(points[i-1].Time).Seconds()
			if grown < 0 {
				grown = v // it began anew
			}
			c.at[t] = old + grown/seconds
		}
	}
}

// outlier is how far a curve left what it was.
type outlier struct {
	since     int64
	peak      float64
	low, high float64 // what it was
	z         float64
}

// judge compares a window with the values of the day before. Unusual is what lies outside everything the day had, for two points in a row
// at least, minZ robust deviations (1.4826 times the median absolute deviation) from its median, and minChange of its size away.
func judge(before []float64, c *curve) (o outlier, ok bool) {
	slices.Sort(before)
	mid, low, high := before[len(before)/2], before[0], before[len(before)-1]
	apart := make([]float64, len(before))
	for i, v := range before {
		apart[i] = math.Abs(v - mid)
	}
	slices.Sort(apart)
	scale := max(1.4826*apart[len(apart)/2], floor*math.Abs(mid), 1e-9)
	least := minChange * max(math.Abs(mid), high-low)
	run, first := 0, int64(0)
	for _, t := range c.times() {
		v := c.at[t]
		d := math.Abs(v - mid)
		if v >= low && v <= high || d < minZ*scale || d < least {
			run = 0
			continue
		}
		if run++; run == 1 {
			first = t
			continue
		}
		for _, at := range []int64{first, t} {
			if z := min(math.Abs(c.at[at]-mid)/scale, maxZ); !ok || math.Abs(c.at[at]-mid) > math.Abs(o.peak-mid) {
				since := first
				if ok {
					since = min(o.since, first)
				}
				o, ok = outlier{since: since, peak: c.at[at], low: low, high: high, z: z}, true
			}
		}
	}
	return o, ok
}

// sign tells of it.
func (c *curve) sign(w window, o outlier, all map[string]*curve, rules string) Sign {
	s := Sign{Time: time.Unix(o.since, 0).UTC(), Kind: Metric, Service: w.service, Name: c.name, Score: o.z}
	verb := "rose to"
	if o.peak < o.low {
		verb = "fell to"
	}
	what, unit := c.name, ""
	if c.counter {
		unit = " a second"
	}
	s.Text = fmt.Sprintf("%s of %s %s %.4g%s; in the day before it was %.4g to %.4g.", what, c.whose(w), verb, o.peak, unit, o.low, o.high)
	if limit, share := c.full(o.peak, all); limit != "" {
		s.Text += fmt.Sprintf(" That is %.0f %% of %s.", 100*share, limit)
		if share >= nearlyFull {
			s.Score *= fullWeight
		}
	}
	if !names(rules, c.name) {
		s.Text += " No rule watches it."
		s.Score *= unwatched
	}
	s.Query = c.query(w)
	return s
}

// whose names the service and the labels that say which of its things it is.
func (c *curve) whose(w window) string {
	var more []string
	for k, v := range c.labels {
		if !slices.Contains([]string{"service", "env", "namespace", "tenant"}, k) && v != "" {
			more = append(more, k+" "+v)
		}
	}
	if len(more) == 0 {
		return w.service
	}
	slices.Sort(more)
	return w.service + " (" + strings.Join(more, ", ") + ")"
}

func (c *curve) query(w window) string {
	q := fmt.Sprintf("%s{service=%s}", c.name, strconv.Quote(w.service))
	if c.counter {
		return "rate(" + q + "[5m])"
	}
	return q
}

// full finds the limit of a pool by the name of what is used of it, and how much of it that is.
func (c *curve) full(peak float64, all map[string]*curve) (name string, share float64) {
	for _, used := range []string{"used", "usage", "in_use", "open", "active", "allocated"} {
		if !strings.Contains(c.name, used) {
			continue
		}
		for _, limit := range []string{"limit", "max", "capacity", "allocated", "size", "total"} {
			name := strings.Replace(c.name, used, limit, 1)
			of := all[c.key(name)]
			if name == c.name || of == nil || of.counter {
				continue
			}
			top := 0.0
			for _, v := range of.at {
				top = max(top, v)
			}
			if top > 0 && peak <= top*1.05 {
				return name, peak / top
			}
		}
	}
	return "", 0
}

// names says whether expressions name a metric.
func names(rules, metric string) bool {
	for rest := rules; ; {
		i := strings.Index(rest, metric)
		if i < 0 {
			return false
		}
		end := i + len(metric)
		if (i == 0 || !inName(rest[i-1])) && (end == len(rest) || !inName(rest[end])) {
			return true
		}
		rest = rest[end:]
	}
}

func inName(b byte) bool {
	return b == '_' || b == ':' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
