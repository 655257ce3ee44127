package accounts

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

func TestThePeopleOfAProviderAreNeverTakenForOthersOfTheirName(t *testing.T) {
	of := func(provider, subject string) access.Identity {
		return ofProvider(login.Login{Identity: access.Identity{
			Subject: subject, Kind: access.User, Provider: provider, Groups: []string{"sre", AdminGroup},
		}}).Identity
	}
	if id := of(Provider, "user:ann"); id.Subject != "user:ann" || len(id.Groups) != 2 {
		t.Errorf("a local user is as she is: %+v", id)
	}
	for provider, want := range map[string]string{"keycloak": "user:keycloak/ann", "corp": "user:corp/ann"} {
		id := of(provider, "user:ann")
		if id.Subject != want || len(id.Groups) != 1 {
			t.Errorf("%s: %+v", provider, id)
		}
	}
	if names().MatchString("keycloak/ann") {
		t.Error("a local user could be called as one of a provider")
	}
}

func TestAProgramIsWhoeverLetItIn(t *testing.T) {
	w := start(t)
	l := login.Login{Identity: access.Identity{Subject: "user:ann", Name: "Ann", Kind: access.User, Provider: "keycloak"}}
	browser, err := w.Begin(t.Context(), l, From{})
	if err != nil {
		t.Fatal(err)
	}
	program, err := w.BeginBelow(t.Context(), browser.Session.ID, From{})
	if err != nil || program.Session.Identity.Subject != "user:keycloak/ann" || program.Secret == browser.Secret {
		t.Errorf("%+v %v", program.Session, err)
	}
}
