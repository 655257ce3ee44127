package promql

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/access"
)

// asked is what the handler of a request says of it.
func asked(t *testing.T, h http.Handler, r *http.Request) map[string]string {
	t.Helper()
	a := &access.Access{Scope: access.Scope{All: true}, Notes: &access.Notes{}}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(access.With(context.Background(), a)))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", r.URL, w.Code, w.Body)
	}
	return a.Notes.All()
}

func form(path string, v url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestQueriesSayWhatTheyAskedGaveAndCost(t *testing.T) {
	store := openStore(t)
	now := time.Now()
	fill(t, store, now)
	api, err := NewAPI(engine(t, DefaultConfig(), store), APIDeps{Registerer: prometheus.NewRegistry(), Storage: store})
	if err != nil {
		t.Fatal(err)
	}
	at := strconv.FormatInt(now.Unix(), 10)
	n := asked(t, api, form("/api/v1/query", url.Values{"query": {"count_over_time(reqs_total[5m])"}, "time": {at}}))
	if n[access.NoteQuery] != "count_over_time(reqs_total[5m])" || n[access.NoteRows] != "1" || n[access.NoteCost] == "" || n[access.NoteCost] == "0 samples" {
		t.Errorf("%v", n)
	}
	n = asked(t, api, form("/api/v1/query_range", url.Values{"query": {"vector(1)"}, "start": {"0"}, "end": {"10"}, "step": {"1"}}))
	if n[access.NoteQuery] != "vector(1)" || n[access.NoteRows] != "1" {
		t.Errorf("%v", n)
	}
	n = asked(t, api, form("/api/v1/series", url.Values{"match[]": {"up", "down"}, "start": {"0"}, "end": {at}}))
	if n[access.NoteQuery] != "up or down" {
		t.Errorf("%v", n)
	}
	read := prompb.ReadRequest{Queries: []*prompb.Query{{EndTimestampMs: 1, Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "up"}}}}}
	text, err := read.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	n = asked(t, api, httptest.NewRequest(http.MethodPost, "/api/v1/read", bytes.NewReader(snappy.Encode(nil, text))))
	if n[access.NoteQuery] != `{__name__="up"}` || n[access.NoteAction] != "query.remote_read" {
		t.Errorf("%v", n)
	}
}
