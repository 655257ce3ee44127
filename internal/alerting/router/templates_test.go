package router

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	promtemplate "github.com/prometheus/prometheus/template"
)

// Templates of messages make text of what they are given: no function and no method of theirs reads a file, the environment or the network,
// or changes anything. (tz reads the time zones of the system by their names, which climb to no other file.) A function that a new
// version brings fails here until somebody has read it.
func TestTemplatesOfMessagesHaveNoSideEffects(t *testing.T) {
	read := strings.Fields(`append base64decode base64encode date dict humanizeDuration join list match mustToDate now reReplaceAll routeLabels safeHtml safeUrl
		since stringSlice title toDate toJson toLower toUpper trimSpace tz urlUnescape`)
	if got := slices.Sorted(maps.Keys(template.DefaultFuncs)); !slices.Equal(got, read) {
		t.Errorf("functions that nobody has read: %v, or that are gone: %v", without(got, read), without(read, got))
	}
	methods := strings.Fields("Alerts.Firing Alerts.Resolved KV.Names KV.Remove KV.SortedPairs KV.String KV.Values Pairs.Names Pairs.String Pairs.Values")
	var got []string
	for _, v := range []any{template.Data{}, template.Alerts{}, template.Alert{}, template.KV{}, template.Pairs{}, template.Pair{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumMethod() {
			got = append(got, typ.Name()+"."+typ.Method(i).Name)
		}
	}
	if got := without(got, methods); len(got) > 0 {
		t.Errorf("methods that nobody has read: %v", got)
	}
	tmpl, err := template.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, hostile := range []string{`{{ (tz "../../../../etc/passwd" .T) }}`, `{{ (tz "/etc/passwd" .T) }}`, `{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`} {
		if out, err := tmpl.ExecuteTextString(hostile, map[string]any{"T": time.Now()}); err == nil {
			t.Errorf("%s makes %.100q", hostile, out)
		}
	}
}

// Annotations of rules are templates of Prometheus', which may query and otherwise make text.
func TestTemplatesOfRulesHaveNoSideEffects(t *testing.T) {
	query := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	expand := func(text string) (string, error) {
		return promtemplate.NewTemplateExpander(t.Context(), text, "annotation", nil, prommodel.Time(0), query, nil, nil).Expand()
	}
	for _, name := range strings.Fields(`env expandenv getenv getHostByName lookup readFile file fileContents include glob exec shell cmd run http get fetch
		httpGet post secret datasource write writeFile sleep`) {
		if out, err := expand("{{ " + name + ` "x" }}`); err == nil || !strings.Contains(err.Error(), "not defined") {
			t.Errorf("%s makes %q, %v", name, out, err)
		}
	}
	for _, hostile := range []string{`{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`, `{{ template "/etc/passwd" }}`, `{{ tmpl "/etc/passwd" . }}`} {
		if out, err := expand(hostile); err == nil {
			t.Errorf("%s makes %.100q", hostile, out)
		}
	}
	if out, err := expand(`{{ "a" | toUpper }}`); err != nil || out != "A" {
		t.Errorf("%q, %v", out, err)
	}
}

func without(all, known []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(known, s) })
}
