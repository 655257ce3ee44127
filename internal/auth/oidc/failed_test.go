package oidc

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func TestALoginThatComesToNothingIsTold(t *testing.T) {
	var told []string
	l, err := New([]Config{{Name: "corp", Issuer: "https://id.example", ClientID: "signalbox"}}, Deps{
		External: &url.URL{Scheme: "https", Host: "signalbox.example"}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Failed: func(_ *http.Request, provider string) { told = append(told, provider) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"corp", "nobody's"} { // what no provider is called is no login
		r := httptest.NewRequest("GET", "/auth/oidc/x/callback?state=0123456789&code=x", nil)
		r.SetPathValue("name", name)
		l.ServeCallback(httptest.NewRecorder(), r)
	}
	if len(told) != 1 || told[0] != "corp" {
		t.Errorf("%q", told)
	}
}
