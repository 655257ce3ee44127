package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestAnEmptyAnswerSaysWhatTheFilterCannotFind(t *testing.T) {
	a := newAPI(t, &rooms{fields: []string{"level", "http.route"}})
	for _, c := range []struct{ target, want string }{
		{"/sb/v1/logs?q=lvl:error", `"hints":["nothing in this time range has the field \"lvl\"; did you mean \"level\"?"]`},
		{"/sb/v1/logs?q=boom", ""},
		{"/sb/v1/logs", ""},
		{"/sb/v1/traces?q=lvl:error", `"hints":["nothing in this time range has the field \"lvl\""]`},
	} {
		rec := get(a, c.target)
		if body := rec.Body.String(); rec.Code != http.StatusOK || !strings.Contains(body, c.want) || c.want == "" && strings.Contains(body, "hints") {
			t.Errorf("%s: %d %s", c.target, rec.Code, body)
		}
	}
	if rec := get(newAPI(t, filled()), "/sb/v1/logs?q=lvl:error"); strings.Contains(rec.Body.String(), "hints") {
		t.Errorf("an answer with records has hints: %s", rec.Body)
	}
	if rec := get(newAPI(t, &rooms{}), "/sb/v1/logs?q=lvl:error"); strings.Contains(rec.Body.String(), "hints") {
		t.Errorf("where nothing is, nothing is known of fields: %s", rec.Body)
	}
	long := strings.Repeat("a", 16<<10)
	if rec := get(a, "/sb/v1/logs?q="+long); rec.Code != http.StatusOK {
		t.Errorf("a filter of the documented size is refused: %d %.200s", rec.Code, rec.Body)
	}
}
