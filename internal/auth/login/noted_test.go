package login

import (
	"fmt"
	"slices"
	"testing"
)

func TestWhatALoginBroughtIsReadAsItWasNoted(t *testing.T) {
	for _, groups := range [][]string{{}, {"ops"}, {"a, b", `"`, "ä", "CN=x,OU=y"}} {
		details := map[string]string{}
		Note(details, groups, []string{"viewer on default"})
		got, grants, ok := Noted(details)
		if !ok || !slices.Equal(got, groups) || !slices.Equal(grants, []string{"viewer on default"}) {
			t.Errorf("%q: %q %q %v", groups, got, grants, ok)
		}
	}
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("group-%05d", i))
	}
	details := map[string]string{}
	Note(details, many, nil)
	if len(details["groups"]) > 100 {
		t.Errorf("%d bytes", len(details["groups"]))
	}
	for _, d := range []map[string]string{nil, {}, details, {"groups": "null"}} {
		if got, _, ok := Noted(d); ok {
			t.Errorf("%q tells of %q", d, got)
		}
	}
	Note(details, []string{"ops"}, many)
	if got, grants, ok := Noted(details); !ok || len(got) != 1 || grants != nil {
		t.Errorf("%q %q %v", got, grants, ok)
	}
}
