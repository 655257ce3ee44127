package promwrite_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/access"
)

// as sends a request as somebody who is bound to namespaces; nobody given is unrestricted.
func (f *fixture) as(t testing.TB, contentType string, m proto.Message, namespaces ...string) (code int, text string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(pack(t, m)))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", contentType)
	scope := access.Scope{All: len(namespaces) == 0, Names: namespaces}
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r.WithContext(access.With(context.Background(), &access.Access{Scope: scope})))
	return w.Code, w.Body.String()
}

// Every way into the store of both versions: a series that is new, one that is known, exemplars alone.
func TestASenderWritesToItsNamespacesOnly(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	series := func(at time.Time, kv ...string) drawn {
		return drawn{pairs(append([]string{"__name__", "m"}, kv...)...), at.UnixMilli(), 1}
	}
	forms := map[string]func([]drawn) proto.Message{
		typeV1: func(d []drawn) proto.Message { return requestV1(d) }, typeV2: func(d []drawn) proto.Message { return requestV2(d) },
	}
	for contentType, request := range forms {
		f := setup(t, nil)
		for round := range 3 { // the later ones are of known series
			at := now.Add(time.Duration(round) * time.Second)
			list := []drawn{series(at, "namespace", "pay"), series(at, "namespace", "trade"), series(at, "a", "b")}
			for _, c := range []struct {
				namespaces []string
				refused    int
			}{{nil, 0}, {[]string{"pay"}, 1}, {[]string{"trade"}, 1}, {[]string{"pay", "trade"}, 1}, {[]string{"none"}, 2}} {
				code, text := f.as(t, contentType, request(list), c.namespaces...)
				if want := map[bool]int{true: 204, false: 400}[c.refused == 0]; code != want || c.refused > 0 && !strings.Contains(text, "namespace") {
					t.Fatalf("%s round %d, bound to %v: %d %s", contentType, round, c.namespaces, code, text)
				}
			}
		}
		want := map[string]int{
			`{__name__="m", namespace="pay"}`: 3, `{__name__="m", namespace="trade"}`: 3, `{__name__="m", a="b"}`: 3,
			`{__name__="m", a="b", namespace="pay"}`: 3, `{__name__="m", a="b", namespace="trade"}`: 3, `{__name__="m", a="b", namespace="none"}`: 3,
		}
		if diff := cmp.Diff(want, f.stored(t)); diff != "" {
			t.Error(contentType, diff)
		}
		if received := f.count.sum("received"); received != 45 || f.count.m["refused namespace"] != 15 || f.count.m["stored"] != 30 {
			t.Errorf("%s: %v", contentType, f.count.m)
		}
	}
}

// A label that stands twice, or empty, names no other namespace.
func TestANamespaceIsNotSmuggledIn(t *testing.T) {
	f, now := setup(t, nil), time.Now().Truncate(time.Second)
	for _, ls := range [][]prompb.Label{
		pairs("__name__", "m", "namespace", "pay", "namespace", "trade"), pairs("__name__", "m", "namespace", "trade", "namespace", "pay"),
		pairs("__name__", "m", "namespace", "", "namespace", "trade"), pairs("__name__", "m", "namespace", "pay\x00"), pairs("__name__", "m", "namespace", "PAY"),
	} {
		f.as(t, typeV1, v1(now, ls), "pay")
	}
	for ls := range f.stored(t) {
		if ls != `{__name__="m", namespace="pay"}` {
			t.Errorf("stored %s", ls)
		}
	}
}

func TestExemplarsAloneKeepToTheirNamespace(t *testing.T) {
	f, now := setup(t, nil), time.Now().Truncate(time.Second)
	alone := func(kv ...string) proto.Message {
		return &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
			Labels:    pairs(append([]string{"__name__", "m"}, kv...)...),
			Exemplars: []prompb.Exemplar{{Labels: pairs("trace_id", "y"), Value: 1, Timestamp: now.UnixMilli()}},
		}}}
	}
	if code, text := f.as(t, typeV1, alone("namespace", "trade"), "pay"); code != http.StatusBadRequest || !strings.Contains(text, `"trade"`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := f.as(t, typeV1, alone("a", "b"), "pay"); code != http.StatusNoContent {
		t.Errorf("%d %s", code, text)
	}
	if got := f.stored(t); len(got) != 1 || got[`{__name__="m", a="b", namespace="pay"}`] != 1 || f.exemplars(t) != 1 {
		t.Errorf("stored %v and %d exemplars", got, f.exemplars(t))
	}
}
