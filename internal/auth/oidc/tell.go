package oidc

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

var (
	errNoProvider   = errors.New("no provider of this name is configured for logging in")
	errOtherBrowser = errors.New("the login was begun in another browser, too long ago, or not here")
	errNoLogout     = errors.New("this is no logout token that counts here")
	errClocks       = errors.New("compare the clock here with the provider's")
)

// page shows an error without script or style: it is shown before anybody is known.
var page = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signalbox: not logged in</title></head>
<body><main><h1>Not logged in</h1><p>{{.Message}}</p><p>{{.Cure}}</p>
<p>{{if .Again}}<a href="{{.Again}}">Begin again</a> · {{end}}<a href="/">Other ways to log in</a></p></main></body></html>
`))

// says is what to tell of an error, also of those that only a browser's way through a login has.
func says(err error) login.Said {
	switch {
	case errors.Is(err, errNoProvider):
		return login.Said{Status: http.StatusNotFound, Message: "There is no login by this name.", Cure: "Begin at the login page."}
	case errors.Is(err, errOtherBrowser):
		return login.Said{Status: http.StatusBadRequest, Message: "This login was begun in another browser, at another address of Signalbox, or more than ten minutes ago.", Cure: "Begin again, in one browser."}
	case errors.Is(err, errClocks):
		return login.Said{
			Status: http.StatusUnauthorized, Message: "Not logged in: the clocks of Signalbox and of the provider differ too much.",
			Cure: "Whoever runs Signalbox sets them right; its log says by how much they differ. Then log in again.",
		}
	case errors.Is(err, errNoLogout):
		return login.Said{Status: http.StatusBadRequest, Message: "This is no logout token of the provider for Signalbox.", Cure: "Send one that is signed, recent, for this client, and was not sent before."}
	}
	return login.Says(err)
}

// tell answers with what went wrong, for people or for programs; all of it goes to the log.
func (l *Logins) tell(w http.ResponseWriter, r *http.Request, p *Provider, err error) {
	name, again := "", ""
	if p != nil && p.cfg.ClientID != "" {
		name, again = p.cfg.Name, "/auth/oidc/"+p.cfg.Name+"/start"
	}
	said := says(err)
	if l.deps.Failed != nil && p != nil {
		l.deps.Failed(r, p.cfg.Name)
	}
	l.deps.Log.Warn("somebody could not log in", "provider", name, "status", said.Status, "err", err)
	noStore(w)
	if said.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(said.Status)
		_ = json.NewEncoder(w).Encode(said) // whoever asked may be gone
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(said.Status)
	_ = page.Execute(w, struct {
		login.Said
		Again string
	}{said, again})
}
