package definition_test

import (
	"slices"
	"strings"
	"testing"
)

// A group of events is those that the SLO counts and that have the group's values, whatever stands in them.
func TestAGroupOfEventsIsNarrowedByItsValues(t *testing.T) {
	text := strings.Replace(spans, "'name:x'", "'name:x OR name:y', by: [tenant, http.route, tenant]", 1)
	d := defined(t, sloText("x", "", text, target))["x"]
	if !slices.Equal(d.Grouping.By, []string{"http.route", "tenant"}) {
		t.Fatalf("%v", d.Grouping.By)
	}
	one := d.Narrow(map[string]string{"http.route": `/"a"\b`, "tenant": "t 1"})
	if one == nil {
		t.Fatal("the group has no definition")
	}
	const values = ` AND http.route:"/\"a\"\\b" AND tenant:"t 1"`
	if one.Queries.Total != "(name:x OR name:y)"+values || one.Queries.Bad != "(status:error)"+values {
		t.Errorf("%+v", one.Queries)
	}
	if one.Counts() == d.Counts() || one.Name != `x{"http.route"="/\"a\"\\b",tenant="t 1"}` || one.Group.Of != "x" {
		t.Errorf("%+v", one)
	}
}

// Groups of series are narrowed in every query, and keep what else the SLO says.
func TestAGroupOfSeriesIsNarrowedInEveryQuery(t *testing.T) {
	for _, c := range []struct{ indicator, objective, errors string }{
		{byRoute, target, `1 - sum(increase(ok_total{route="/a"}[$window])) / sum(increase(all_total{route="/a"}[$window]))`},
		{strings.Replace(threshold, "max(age", "max by (route) (age", 1), "{op: lt, value: 2, target: 0.99}", `1 - ((max by (route) (age_seconds{route="/a"})) < bool 2)`},
		{strings.Replace(measured, "avg(share", "avg by (route) (share", 1), target, `1 - (avg by (route) (share{route="/a"}))`},
	} {
		d := defined(t, sloText("x", ", displayName: X, labels: {team: a}", c.indicator, c.objective))["x"]
		if d.Grouping == nil || !slices.Equal(d.Grouping.By, []string{"route"}) {
			t.Fatalf("%s: %+v", c.indicator, d.Grouping)
		}
		one := d.Narrow(map[string]string{"route": "/a"})
		if one.Queries.Error != c.errors {
			t.Errorf("%s: %s", c.indicator, one.Queries.Error)
		}
		if one.DisplayName != `X (route="/a")` || one.Labels["team"] != "a" || one.Objective != d.Objective || one.Window != d.Window || one.File != "a.yaml" {
			t.Errorf("%+v", one.About)
		}
	}
}
