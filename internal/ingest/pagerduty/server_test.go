package pagerduty

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/signalbox-project/signalbox/internal/front"
)

func TestRefusalsHavePagerDutysShape(t *testing.T) {
	for _, c := range []struct {
		ref  front.Refusal
		want string
	}{
		{front.Refusal{Status: 413, Message: "m"}, `{"status":"invalid event","message":"Event object is too large (512 KB at most)","errors":["m"]}`},
		{front.Refusal{Status: 429, Message: "m"}, `{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly","errors":["m"]}`},
		{front.Refusal{Status: 401, Message: "m"}, `{"status":"invalid event","message":"Event object is invalid","errors":["m"]}`},
	} {
		w := httptest.NewRecorder()
		refuse(w, c.ref)
		if w.Code != c.ref.Status || w.Body.String() != c.want+"\n" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// Of all that a request brings, the routing key alone says who asks.
func TestTheRoutingKeyAloneIsTheProof(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "https://x"+eventPath, nil)
	r.Header.Set("Cookie", "session=1")
	r.Header.Set("Authorization", "Bearer other")
	r.Header.Set("X-Scope-OrgID", "acme")
	got := proved(r, "key")
	if len(got.Header) != 2 || got.Header.Get("Authorization") != "Bearer key" || got.Header.Get("X-Scope-OrgID") != "acme" || got.TLS != nil {
		t.Errorf("%v", got.Header)
	}
}
