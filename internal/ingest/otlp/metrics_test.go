package otlp

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// answered is a partial success as OTLP/JSON has it.
type answered struct {
	PartialSuccess *struct {
		Rejected string `json:"rejectedDataPoints"`
		Message  string `json:"errorMessage"`
	} `json:"partialSuccess"`
}

// postMetrics posts resources in JSON and answers what was refused.
func (tb *testbed) postMetrics(t *testing.T, resources ...string) (rejected, message string) {
	t.Helper()
	body := `{"resourceMetrics":[` + strings.Join(resources, ",") + `]}`
	got := tb.post(t, "/v1/metrics", []byte(body), "Content-Type", typeJSON)
	if got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var a answered
	if err := json.Unmarshal(got.body, &a); err != nil {
		t.Fatal(err)
	}
	if a.PartialSuccess == nil {
		return "", ""
	}
	return a.PartialSuccess.Rejected, a.PartialSuccess.Message
}

func resourceJSON(attrs map[string]string, scope, metrics string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		list = append(list, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, attrs[k]))
	}
	return fmt.Sprintf(`{"resource":{"attributes":[%s]},"scopeMetrics":[{"scope":{"name":%q},"metrics":[%s]}]}`, strings.Join(list, ","), scope, metrics)
}

func gauge(name string, points ...string) string {
	return fmt.Sprintf(`{"name":%q,"gauge":{"dataPoints":[%s]}}`, name, strings.Join(points, ","))
}

func counter(name string, start, at time.Time, value int) string {
	return fmt.Sprintf(`{"name":%q,"sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"startTimeUnixNano":"%d","timeUnixNano":"%d","asInt":"%d"}]}}`,
		name, start.UnixNano(), at.UnixNano(), value)
}

func at(t time.Time, more string) string {
	return fmt.Sprintf(`{"timeUnixNano":"%d"%s}`, t.UnixNano(), more)
}

func named(series map[string][]point, name string) (out []string) {
	for ls := range series {
		if strings.Contains(ls, `"`+name+`"`) {
			out = append(out, ls)
		}
	}
	slices.Sort(out)
	return out
}

func TestAPointWithoutATimeCostsItselfAlone(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name, time, says string
	}{
		{"unset", `"0"`, "timestamp_unset"},
		{"absent", ``, "timestamp_unset"},
		{"seconds", fmt.Sprintf(`"%d"`, now.Unix()), "probably seconds"},
		{"milliseconds", fmt.Sprintf(`"%d"`, now.UnixMilli()), "probably milliseconds"},
		{"microseconds", fmt.Sprintf(`"%d"`, now.UnixMicro()), "probably microseconds"},
		{"uptime", `"36000000000"`, "since the start of a process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := start(t, nil)
			odd := `{"asDouble":1}`
			if c.time != "" {
				odd = `{"asDouble":1,"timeUnixNano":` + c.time + `}`
			}
			rejected, message := tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "r", "host.name": "h"}, "",
				gauge("a.up", odd)+","+gauge("b.temp", at(now, `,"asDouble":2`))))
			if rejected != "1" || !strings.Contains(message, c.says) {
				t.Errorf("rejected %s: %s", rejected, message)
			}
			got := tb.series(t)
			if len(named(got, "b_temp")) != 1 || len(named(got, "a_up")) != 0 {
				t.Errorf("series %v", got)
			}
			if info := named(got, "target_info"); len(info) != 1 || len(got[info[0]]) != 1 {
				t.Errorf("target_info is %v", info)
			}
		})
	}
}

func TestTargetInfoIsWrittenBesideSamplesOnly(t *testing.T) {
	tb := start(t, nil)
	now := time.Now()
	points := []string{at(now.Add(-40*time.Minute), `,"asDouble":1`), at(now.Add(-40*time.Minute+time.Second), `,"asDouble":1`), at(now, `,"asDouble":1`)}
	tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "r", "team": "x"}, "", gauge("a", points...)))
	got := tb.series(t)
	info := named(got, "target_info")
	if len(info) != 1 || len(got[info[0]]) > 3 || len(got[info[0]]) < 2 || !strings.Contains(info[0], `team="x"`) {
		t.Errorf("%v: %v", info, got)
	}
}

func TestScopesAndSendersStayApart(t *testing.T) {
	now := time.Now()
	began := now.Add(-time.Hour)
	for _, c := range []struct {
		name string
		a, b string
		want int
	}{
		{"two scopes", resourceJSON(map[string]string{"service.name": "s"}, "lib.pool", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s"}, "lib.orm", counter("ops", began, now, 5)), 2},
		{"two pods", resourceJSON(map[string]string{"service.name": "s", "k8s.pod.name": "a"}, "", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s", "k8s.pod.name": "b"}, "", counter("ops", began, now, 5)), 2},
		{"two pods of one name", resourceJSON(map[string]string{"service.name": "s", "k8s.pod.name": "a", "k8s.pod.uid": "1"}, "", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s", "k8s.pod.name": "a", "k8s.pod.uid": "2"}, "", counter("ops", began, now, 5)), 2},
		{"two workers of one host", resourceJSON(map[string]string{"service.name": "s", "host.name": "h", "process.pid": "7"}, "", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s", "host.name": "h", "process.pid": "8"}, "", counter("ops", began, now, 5)), 2},
		{"two containers", resourceJSON(map[string]string{"service.name": "s", "container.id": "7"}, "", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s", "container.id": "8"}, "", counter("ops", began, now, 5)), 2},
		{"the instance that is named wins", resourceJSON(map[string]string{"service.name": "s", "service.instance.id": "i", "k8s.pod.name": "a"}, "", counter("ops", began, now, 1)), resourceJSON(map[string]string{"service.name": "s", "service.instance.id": "i", "k8s.pod.name": "b"}, "", counter("ops", began, now.Add(time.Second), 5)), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := start(t, nil)
			for _, r := range []string{c.a, c.b} {
				if rejected, message := tb.postMetrics(t, r); rejected != "" {
					t.Errorf("rejected %s: %s", rejected, message)
				}
			}
			if got := named(tb.series(t), "ops_total"); len(got) != c.want {
				t.Errorf("series %v, want %d", got, c.want)
			}
		})
	}
}

func TestSendersThatCannotBeToldApartAreWarned(t *testing.T) {
	tb := start(t, nil)
	now := time.Now()
	first, second := now.Add(-time.Hour), now.Add(-time.Minute)
	warned := ""
	for i, began := range []time.Time{first, second, first} {
		_, warned = tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s"}, "", counter("ops", began, now.Add(time.Duration(i)*time.Second), 10)))
		if i < 2 && warned != "" {
			t.Errorf("request %d: a restart is no collision: %s", i, warned)
		}
	}
	if !strings.Contains(warned, "set service.instance.id") {
		t.Errorf("the third request is answered %q", warned)
	}
}

func TestNamesInEveryScriptAreKept(t *testing.T) {
	tb := start(t, nil)
	now := time.Now()
	label := func(key string) string {
		return fmt.Sprintf(`,"asDouble":1,"attributes":[{"key":%q,"value":{"stringValue":"x"}}]`, key)
	}
	rejected, message := tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "plant", "場所": "東京"}, "", strings.Join([]string{
		gauge("温度", at(now, label("line"))),
		gauge("湿度", at(now, label("línea"))),
		gauge("a", at(now, label("")), at(now, label("温度")), at(now, label("b.c"))),
		`{"name":"回数","unit":"s","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[` + at(now, `,"asInt":"1"`) + `]}}`,
	}, ",")))
	if rejected != "1" || !strings.Contains(message, "without a key") {
		t.Errorf("rejected %s: %s", rejected, message)
	}
	got := strings.Join(slices.Sorted(maps.Keys(tb.series(t))), "\n")
	for _, want := range []string{`__name__="温度"`, `__name__="湿度"`, `"línea"="x"`, `"温度"="x"`, `b_c="x"`, `__name__="回数_seconds_total"`, `"場所"="東京"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestChosenResourceAttributesBecomeLabels(t *testing.T) {
	tb := start(t, func(c *Config) { c.PromoteResourceAttributes = []string{"team.name", "場所"} })
	tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s", "team.name": "a", "場所": "東京", "other": "b"}, "", gauge("up", at(time.Now(), `,"asDouble":1`))))
	got := named(tb.series(t), "up")
	if len(got) != 1 || !strings.Contains(got[0], `team_name="a"`) || !strings.Contains(got[0], `"場所"="東京"`) || strings.Contains(got[0], "other") {
		t.Errorf("series %v", got)
	}
}

// The translation drops the zero threshold; without it everything near zero is taken for zero. It may change, also of deltas.
func TestZeroThresholdsAreKept(t *testing.T) {
	now := time.Now()
	for _, temporality := range []int{1, 2} {
		tb := start(t, nil)
		for i, threshold := range []string{"0.5", "0.25", "0"} {
			from, to := now.Add(time.Duration(i-10)*time.Second), now.Add(time.Duration(i-9)*time.Second)
			_, message := tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s", "service.instance.id": "i"}, "", fmt.Sprintf(
				`{"name":"e","exponentialHistogram":{"aggregationTemporality":%d,"dataPoints":[{"startTimeUnixNano":"%d","timeUnixNano":"%d","count":"4","scale":0,"zeroCount":"3","zeroThreshold":%s,"positive":{"offset":2,"bucketCounts":["1"]}}]}}`,
				temporality, from.UnixNano(), to.UnixNano(), threshold)))
			if message != "" {
				t.Fatal(message)
			}
		}
		q, err := tb.db.Querier(0, now.Add(time.Hour).UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "e"))
		var got []float64
		series := 0
		for set.Next() {
			series++
			for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
				_, h := it.AtFloatHistogram(nil)
				got = append(got, h.ZeroThreshold)
			}
		}
		want := []float64{0.5, 0.25, 1e-128}
		if temporality == 1 {
			want = []float64{0.5, 0.5, 0.5} // sums of what was within ±0.5 once
		}
		if series != 1 || !slices.Equal(got, want) {
			t.Errorf("temporality %d: %d series, thresholds %v, want %v", temporality, series, got, want)
		}
		_ = q.Close()
	}
}

// An attribute of a data point names no other tenant than its request.
func TestAPointsAttributeIsNoTenant(t *testing.T) {
	tb := start(t, nil)
	metric := gauge("m", at(time.Now(), `,"asDouble":1,"attributes":[{"key":"tenant","value":{"stringValue":"b"}}]`))
	body := []byte(`{"resourceMetrics":[` + resourceJSON(map[string]string{"service.name": "s"}, "", metric) + `]}`)
	if r := tb.post(t, "/v1/metrics", body, "Content-Type", typeJSON, "X-Scope-OrgID", "a"); r.status != http.StatusOK {
		t.Fatal(r.status)
	}
	if got := named(tb.series(t), "m"); len(got) != 1 || !strings.Contains(got[0], `exported_tenant="b"`) || !strings.Contains(got[0], ` tenant="a"`) {
		t.Errorf("%v", got)
	}
}
