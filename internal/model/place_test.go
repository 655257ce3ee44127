package model

import (
	"fmt"
	"testing"
)

func TestEachEnvironmentThatLabelsNameCounts(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{nil, ""},
		{map[string]string{"team": "a,b"}, ""},
		{map[string]string{"env": "prod"}, "prod"},
		{map[string]string{"env": "prod,staging"}, "prod,staging"},
		{map[string]string{"env": "staging,prod,prod"}, "prod,staging"},
		{map[string]string{"env": "prod", "environment": "staging"}, "prod,staging"},
		{map[string]string{"env": "prod", "environment": "prod"}, "prod"},
		{map[string]string{"deployment_environment": "prod", "deployment_environment_name": "prod"}, "prod"},
		{map[string]string{"deployment.environment.name": "dev"}, "dev"},
		{map[string]string{"environment": "north, or south"}, "north, or south"},
	} {
		if got := Environments(c.labels); got != c.want {
			t.Errorf("%v: %q, want %q", c.labels, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"", "prod", true}, {"prod", "", true}, {"prod,staging", "staging", true}, {"prod,staging", "dev", false}, {"prod", "production", false}} {
		if got := SameEnvironment(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestLabelsWithListsBecomeOneSetForEachValue(t *testing.T) {
	got := Spread(Labels{"env": "prod,staging", "team": "a,b", "slo": "x"})
	want := "[map[env:prod slo:x team:a] map[env:prod slo:x team:b] map[env:staging slo:x team:a] map[env:staging slo:x team:b]]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	many := Labels{"a": "1,2,3,4,5", "b": "1,2,3,4,5"}
	if got := Spread(many); len(got) != 5 || got[0]["b"] != "1,2,3,4,5" {
		t.Errorf("%d sets, the first %v", len(got), got[0])
	}
}
