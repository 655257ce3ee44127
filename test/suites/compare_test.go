package suites

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"sort"
	"strconv"

	"github.com/prometheus/prometheus/promql"
)

// comparing is an engine that asks both servers the same and tells the difference of the answers.
// It is for native histograms, whose schema the JSON of the query API does not say, so that the script
// runner cannot judge them: the reference's answer is then what is right.
func comparing(ours, theirs string, tell func(difference string)) engine {
	return func(path string, form url.Values) *promql.Result {
		a, err := fetch(ours, path, form)
		if err != nil {
			tell(err.Error())
			return &promql.Result{Err: err}
		}
		b, err := fetch(theirs, path, form)
		if err != nil {
			tell("the reference: " + err.Error())
			return &promql.Result{Err: err}
		}
		tell(difference(a, b))
		return &promql.Result{Err: errors.New("only compared")}
	}
}

// difference of two replies; "" is none.
func difference(a, b *reply) string {
	slices.Sort(a.Warnings)
	slices.Sort(b.Warnings)
	slices.Sort(a.Infos)
	slices.Sort(b.Infos)
	heads := func(r *reply) string {
		return fmt.Sprintf("%s %s %s %s warnings %q infos %q", r.Status, r.ErrorType, r.Error, r.Data.ResultType, r.Warnings, r.Infos)
	}
	if heads(a) != heads(b) {
		return fmt.Sprintf("%s\nthe reference: %s", heads(a), heads(b))
	}
	if a.Status != "success" {
		return ""
	}
	if !equal(rows(a.Data.Result), rows(b.Data.Result)) {
		return fmt.Sprintf("%s\nthe reference: %s", a.Data.Result, b.Data.Result)
	}
	return ""
}

// rows are a result's, in an order of their own: that of a vector is open.
func rows(raw json.RawMessage) any {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err.Error()
	}
	list, _ := v.([]any)
	sort.SliceStable(list, func(i, j int) bool { return labelsOf(list[i]) < labelsOf(list[j]) })
	return v
}

func labelsOf(row any) string {
	m, _ := row.(map[string]any)
	b, _ := json.Marshal(m["metric"])
	return string(b)
}

// equal compares decoded JSON; numbers, also those in texts, may differ by 1e-9 of their size, because the order
// in which series are added up is open.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if _, there := b[k]; !there || !equal(a[k], b[k]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case string:
		b, ok := b.(string)
		if !ok || a == b {
			return ok
		}
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && near(x, y)
	case float64:
		b, ok := b.(float64)
		return ok && near(a, b)
	}
	return a == b
}

func near(x, y float64) bool {
	return x == y || math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))
}
