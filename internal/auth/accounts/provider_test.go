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
