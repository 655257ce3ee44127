package router

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestASilenceNamesWhoIsKnown(t *testing.T) {
	f := start(t, t.TempDir(), "")
	for _, c := range []struct {
		who  *access.Access
		want string
	}{
		{&access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Scope: access.Scope{All: true}}, "user:ann"},
		{&access.Access{Identity: access.Identity{Kind: access.Nobody}, Scope: access.Scope{All: true}}, "me"},
	} {
		body, _ := json.Marshal(silenceOf(matcher("alertname", "x", false, true)))
		req := httptest.NewRequest("POST", "/api/v2/silences", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		f.Router.Handler().ServeHTTP(w, req.WithContext(access.With(req.Context(), c.who)))
		if _, text := asks(f.Router, "GET", "/api/v2/silence/"+idIn(t, w.Body.String()), ""); !strings.Contains(text, `"createdBy":"`+c.want+`"`) {
			t.Errorf("%+v: %s", c.who.Identity, text)
		}
	}
}
