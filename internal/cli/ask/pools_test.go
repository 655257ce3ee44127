package ask_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server with one pool that fills, one pair that is none, and a metric without a partner.
func poolServer(t *testing.T) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.FormValue("query")
		var result string
		switch {
		case strings.HasSuffix(r.URL.Path, "/values"):
			_, _ = w.Write([]byte(`{"status":"success","data":["ports_used","ports_limit","odd_used","odd_max","cache_used_bytes","up"]}`))
			return
		case strings.Contains(q, "deriv"):
			result = `{"metric":{},"value":[1,"6.5"]},{"metric":{},"value":[1,"12"]}`
		case strings.HasPrefix(q, "count_over_time"):
			result = `{"metric":{},"value":[1,"60"]}`
		case strings.Contains(q, "odd"):
			result = `{"metric":{},"value":[1,"7.5"]}`
		default:
			result = `{"metric":{},"value":[1,"0.25"]},{"metric":{},"value":[1,"0.625"]}`
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[` + result + `]}}`))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestPoolsAreShownWithWhatIsNone(t *testing.T) {
	status, out, errOut := run(t, "pools", "--server", poolServer(t))
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"ports 2 62.5 % 6.5 ports_used ports_limit", "not a pool: odd_used and odd_max: more is used than there is", "no limit found: cache_used_bytes"} {
		if status != 0 || !strings.Contains(text, want) {
			t.Errorf("status %d, no %q in\n%s%s", status, want, out, errOut)
		}
	}
}

func TestRulesForPoolsAreWritten(t *testing.T) {
	status, out, _ := run(t, "pools", "--write", "--server", poolServer(t))
	if status != 0 || strings.Count(out, "- alert: ") != 3 || !strings.Contains(out, "PoolRunsOut") || strings.Contains(out, "odd_used") || strings.Contains(out, "critical") {
		t.Errorf("status %d\n%s", status, out)
	}
}
