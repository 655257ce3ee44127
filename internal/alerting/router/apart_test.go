package router

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/silence/silencepb"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
)

// asks asks the API as somebody who is bound to namespaces; with none as who sees all.
func asks(r *Router, method, path string, body any, namespaces ...string) (code int, text string) {
	raw, isText := body.(string)
	if !isText {
		b, _ := json.Marshal(body)
		raw = string(b)
	}
	req := httptest.NewRequest(method, path, bytes.NewReader([]byte(raw)))
	req.Header.Set("Content-Type", "application/json")
	scope := access.Scope{All: len(namespaces) == 0, Names: namespaces}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req.WithContext(access.With(req.Context(), &access.Access{Scope: scope})))
	return w.Code, w.Body.String()
}

type object = map[string]any

func silenceOf(matchers ...object) object {
	return object{
		"comment": "c", "createdBy": "me", "startsAt": time.Now().Format(time.RFC3339), "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339), "matchers": matchers,
	}
}

func matcher(name, value string, isRegex, isEqual bool) object {
	return object{"name": name, "value": value, "isRegex": isRegex, "isEqual": isEqual}
}

func idIn(t testing.TB, text string) string {
	t.Helper()
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.SilenceID == "" {
		t.Fatal(text, err)
	}
	return made.SilenceID
}

func TestWhoIsBoundSilencesTheirNamespacesOnly(t *testing.T) {
	f := start(t, t.TempDir(), "")
	is := func(v string) object { return matcher("namespace", v, false, true) }
	for _, c := range []struct {
		name     string
		matchers []object
		bound    []string
		want     int
	}{
		{"one's own", []object{is("pay")}, []string{"pay"}, 200},
		{"one of two", []object{is("pay"), matcher("service", "edge", false, true)}, []string{"pay", "trade"}, 200},
		{"both of two", []object{matcher("namespace", "pay|trade", true, true)}, []string{"pay", "trade"}, 200},
		{"one's own in two ways", []object{is("pay"), matcher("namespace", ".*", true, true)}, []string{"pay"}, 200},
		{"another's", []object{is("trade")}, []string{"pay"}, 403},
		{"everybody's", []object{matcher("alertname", ".+", true, true)}, []string{"pay"}, 403},
		{"all but another's", []object{matcher("namespace", "trade", false, false)}, []string{"pay"}, 403},
		{"all that is not like another's", []object{matcher("namespace", "trade", true, false)}, []string{"pay"}, 403},
		{"one's own and another's", []object{matcher("namespace", "pay|trade", true, true)}, []string{"pay"}, 403},
		{"one's own and what has none", []object{matcher("namespace", "pay|", true, true)}, []string{"pay"}, 403},
		{"what begins alike", []object{matcher("namespace", "pay.*", true, true)}, []string{"pay"}, 403},
		{"whatever its case", []object{matcher("namespace", "(?i)pay", true, true)}, []string{"pay"}, 403},
		{"an expression that is none", []object{matcher("namespace", "(", true, true)}, []string{"pay"}, 403},
		{"everybody's, by who sees all", []object{matcher("alertname", ".+", true, true)}, nil, 200},
	} {
		if code, text := asks(f.Router, "POST", apiSilences, silenceOf(c.matchers...), c.bound...); code != c.want {
			t.Errorf("%s: %d %s", c.name, code, text)
		}
	}
	// What is judged is what is taken, however often a text says it.
	twice := `{"comment":"c","createdBy":"me","startsAt":"2026-01-01T00:00:00Z","endsAt":"2999-01-01T00:00:00Z","matchers":[{"name":"namespace","value":"pay","isRegex":false}],"Matchers":[{"name":"namespace","value":"trade","isRegex":false}]}`
	if code, text := asks(f.Router, "POST", apiSilences, twice, "pay"); code != 403 {
		t.Errorf("%d %s", code, text)
	}
	for _, bad := range []string{"", "[]", "null", `{"matchers":[null,{}]}`} {
		if code, text := asks(f.Router, "POST", apiSilences, bad, "pay"); code < 400 || code >= 500 {
			t.Errorf("%q: %d %s", bad, code, text)
		}
	}
}

// What is not visible is answered as what does not exist.
func TestASilenceOfAnotherNamespaceDoesNotExist(t *testing.T) {
	f := start(t, t.TempDir(), "")
	ids := map[string]string{}
	for _, n := range []string{"pay", "trade"} {
		code, text := asks(f.Router, "POST", apiSilences, silenceOf(matcher("namespace", n, false, true)))
		if code != 200 {
			t.Fatal(code, text)
		}
		ids[n] = idIn(t, text)
	}
	change := silenceOf(matcher("namespace", "pay", false, true))
	for _, c := range []struct {
		method, id string
		want       int
	}{{"GET", ids["pay"], 200}, {"GET", ids["trade"], 404}, {"GET", noSilence, 404}, {"DELETE", ids["trade"], 404}, {"DELETE", noSilence, 404}} {
		if code, text := asks(f.Router, c.method, apiSilence+c.id, "", "pay"); code != c.want || c.want == 404 && text != "" {
			t.Errorf("%s %s: %d %s", c.method, c.id, code, text)
		}
	}
	var answers []string
	for _, id := range []string{ids["trade"], "11111111-1111-1111-1111-111111111111"} { // taking one over would end it
		change["id"] = id
		code, text := asks(f.Router, "POST", apiSilences, change, "pay")
		answers = append(answers, fmt.Sprint(code, text))
	}
	if answers[0] != answers[1] || !strings.HasPrefix(answers[0], "404") {
		t.Errorf("changing another's silence answers %v", answers)
	}
	if code, text := asks(f.Router, "GET", apiSilence+ids["trade"], ""); code != 200 || !strings.Contains(text, `"state":"active"`) {
		t.Errorf("the other's silence: %d %s", code, text)
	}
	if code, text := asks(f.Router, "DELETE", apiSilence+ids["pay"], "", "pay"); code != 200 {
		t.Errorf("one's own: %d %s", code, text)
	}
}

func TestWhoIsBoundSendsAlertsOfTheirNamespacesOnly(t *testing.T) {
	f := start(t, t.TempDir(), "")
	posted := func(labels ...object) (out []object) {
		for _, l := range labels {
			out = append(out, object{"labels": l})
		}
		return out
	}
	code, text := asks(f.Router, "POST", apiAlerts, posted(object{"alertname": "A"}, object{"alertname": "B", "namespace": "trade"}, object{"alertname": "C", "namespace": "pay"}), "pay")
	if code != 400 || !strings.Contains(text, `B\"`) || strings.Contains(text, `\"A`) || strings.Contains(text, `\"C`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := asks(f.Router, "POST", apiAlerts, posted(object{"alertname": "D"}), "pay", "trade"); code != 400 || !strings.Contains(text, "pay, trade") {
		t.Errorf("of which of two? %d %s", code, text)
	}
	if code, text := asks(f.Router, "POST", apiAlerts, posted(object{"alertname": "E", "namespace": "trade"}), "pay", "trade"); code != 200 {
		t.Errorf("%d %s", code, text)
	}
	if got := visible(t, f.Router, apiAlerts); !slices.Equal(got, []string{"A/pay", "C/pay", "E/trade"}) {
		t.Errorf("there are %v", got)
	}
	for _, path := range []string{"/api/v2/status", "/api/v2/receivers", "/api/v2/new"} {
		if code, text := asks(f.Router, "GET", path, "", "pay"); code != 403 || strings.Contains(text, "inbox") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// visible are the alerts of an answer, by name and namespace.
func visible(t testing.TB, r *Router, path string, bound ...string) []string {
	t.Helper()
	code, text := asks(r, "GET", path, "", bound...)
	type one struct {
		Labels map[string]string `json:"labels"`
	}
	var list []struct {
		one
		Alerts []one `json:"alerts"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || code != 200 {
		t.Fatal(path, bound, code, text)
	}
	out := []string{}
	for _, l := range list {
		if l.Alerts == nil {
			l.Alerts = []one{l.one}
		}
		for _, a := range l.Alerts {
			out = append(out, a.Labels["alertname"]+"/"+a.Labels["namespace"])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// No filter shows an alert or a silence of another namespace, and all of one's own are shown.
func TestOnlyOnesOwnAlertsAndSilencesAreShown(t *testing.T) {
	f := start(t, t.TempDir(), "")
	names := []string{"", "pay", "pay2", "PAY", "a.b", "a|b", `q"u\o`, "zwölf", "{x}", ".*", "^$"}
	var alerts []object
	for i, n := range names {
		alerts = append(alerts, object{"labels": object{"alertname": fmt.Sprintf("A%d", i), "namespace": n}})
		for _, m := range []object{matcher("namespace", n, false, true), matcher("namespace", regexp.QuoteMeta(n), true, true), matcher("namespace", n, false, false)} {
			if code, text := asks(f.Router, "POST", apiSilences, silenceOf(m, matcher("service", "none", false, true))); code != 200 {
				t.Fatal(code, text)
			}
		}
	}
	if code, text := asks(f.Router, "POST", apiAlerts, alerts); code != 200 {
		t.Fatal(code, text)
	}
	for len(visible(t, f.Router, apiGroups)) < len(names) { // groups are made a moment later
		runtime.Gosched()
	}
	rapid.Check(t, func(rt *rapid.T) {
		bound := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID).Draw(rt, "bound")
		filters := rapid.SampledFrom([]string{"", `namespace="pay"`, `namespace=~".*"`, `namespace!="pay"`, `namespace=""`, `alertname=~"A.*"`, `namespace=~"pay|"`}).Draw(rt, "filter")
		query := "?filter=" + url.QueryEscape(filters)
		if filters == "" {
			query = ""
		}
		path := rapid.SampledFrom([]string{apiAlerts, apiGroups}).Draw(rt, "path")
		var want []string
		for _, a := range visible(t, f.Router, path+query) {
			if _, n, _ := strings.Cut(a, "/"); n != "" && slices.Contains(bound, n) {
				want = append(want, a)
			}
		}
		if got := visible(t, f.Router, path+query, bound...); !slices.Equal(got, want) {
			rt.Fatalf("%s: bound to %q one sees %q, want %q", path+query, bound, got, want)
		}
		_, text := asks(f.Router, "GET", apiSilences, "", bound...)
		type matching struct {
			Name    string `json:"name"`
			IsEqual bool   `json:"isEqual"`
		}
		var list []struct {
			Matchers []matching `json:"matchers"`
		}
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			rt.Fatal(err, text)
		}
		for _, s := range list {
			if i := slices.IndexFunc(s.Matchers, func(m matching) bool { return m.Name == "namespace" }); !s.Matchers[i].IsEqual {
				rt.Fatalf("bound to %q one sees %+v", bound, s)
			}
		}
		if n := len(slices.DeleteFunc(slices.Clone(bound), func(n string) bool { return n == "" })); len(list) != 2*n {
			rt.Fatalf("bound to %q one sees %d silences: %s", bound, len(list), text)
		}
	})
}

// Matchers that are said to be confined match nothing else, whatever an expression looks like.
func TestWhatIsConfinedMatchesNoOtherNamespace(t *testing.T) {
	parts := rapid.SampledFrom([]string{"pay", "trade", "|", "(", ")", "(?:", "(?i)", "[p]", ".", "*", "?", "^", "$", "", "\\", "\n", "(?s)", "P"})
	rapid.Check(t, func(rt *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(parts, 0, 7).Draw(rt, "parts"), "")
		ms := []*silencepb.Matcher{{Type: silencepb.Matcher_REGEXP, Name: "namespace", Pattern: pattern}}
		if !confined(access.Scope{Names: []string{"pay"}}, ms) {
			return
		}
		re := regexp.MustCompile("^(?:" + pattern + ")$")
		for _, other := range []string{"", "trade", "PAY", "Pay", "pay\n", "payx", "paypay", "paytrade", "tradepay", "x"} {
			if re.MatchString(other) {
				rt.Fatalf("%q is said to be confined and matches %q", pattern, other)
			}
		}
	})
}
