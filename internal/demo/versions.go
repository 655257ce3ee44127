package demo

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

// firstVersion is what ran before the first release of the history.
func firstVersion(service string) string {
	return map[string]string{
		simulate.Edge: "2.3.4", simulate.Layout: "3.11.1", simulate.AccessControl: "1.9.0",
		simulate.Deployment: "2.0.4", simulate.FileServer: "4.0.8",
	}[service]
}

// versionsAt are the versions that ran at t, of those services that ran
// another than the newest stable one.
func versionsAt(deploys []model.Deploy, t time.Time) map[string]string {
	out := map[string]string{}
	for _, service := range simulate.Services() {
		v := runningAt(deploys, service, t)
		if v == "" {
			v = firstVersion(service)
		}
		if v != simulate.StableVersion(service, mainRegion) {
			out[service] = v
		}
	}
	return out
}

// byVersion cuts each series where a release ended it: what ran before is a
// series of that version. A region that lags behind keeps the version it runs.
func (h *history) byVersion(all []series) []series {
	out := make([]series, 0, 2*len(all))
	for _, s := range all {
		service, region, version := labelOf(s, "service"), labelOf(s, "region"), labelOf(s, "version")
		if firstVersion(service) == "" || version != simulate.StableVersion(service, mainRegion) || region != mainRegion && version != simulate.StableVersion(service, region) {
			out = append(out, s)
			continue
		}
		out = append(out, h.cut(s, service, version)...)
	}
	return out
}

// cut is s in pieces, one for each time that a version ran. A counter's piece
// begins at zero, at the last sample of the piece before it: no increase is lost.
func (h *history) cut(s series, service, version string) []series {
	name := labelOf(s, "__name__")
	counter := strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum")
	var out []series
	running := ""
	for i, p := range s.Samples {
		ran := runningAt(h.deploys, service, time.UnixMilli(p.Timestamp))
		if ran == "" {
			ran = firstVersion(service)
		}
		if ran != running {
			out, running = append(out, series{Labels: relabelled(s.Labels, version, ran)}), ran
			if counter && i > 0 {
				out[len(out)-1].Samples = []prompb.Sample{{Timestamp: s.Samples[i-1].Timestamp}}
			}
		}
		last := &out[len(out)-1]
		if counter && len(out) > 1 {
			p.Value -= baseOf(s, last.Samples[0].Timestamp)
		}
		last.Samples = append(last.Samples, p)
	}
	return out
}

// baseOf is the counter's value when a piece began.
func baseOf(s series, began int64) float64 {
	at, _ := slices.BinarySearchFunc(s.Samples, began, func(p prompb.Sample, t int64) int { return int(p.Timestamp - t) })
	return s.Samples[at].Value
}

func labelOf(s series, name string) string {
	for _, l := range s.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// relabelled names the version, and the instance after it.
func relabelled(labels []prompb.Label, from, to string) []prompb.Label {
	out := slices.Clone(labels)
	for i := range out {
		switch out[i].Name {
		case "version":
			out[i].Value = to
		case "instance":
			out[i].Value = strings.Replace(out[i].Value, "-"+from+"-", "-"+to+"-", 1)
		}
	}
	return out
}
