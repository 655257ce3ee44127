package accounts

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

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

// asking is a directory that looks for a name, and then proves a password, which takes longer.
type asking struct{}

func (asking) Login(_ context.Context, name, _ string) (login.Login, error) {
	time.Sleep(5 * time.Millisecond)
	if name == "bob" {
		time.Sleep(120 * time.Millisecond)
	}
	return login.Login{}, login.ErrUnauthenticated
}

// How long a refusal takes says nothing about who has an account, here or in a directory. Time is synctest's.
func TestRefusalsTakeTheSameTimeWhereDirectoriesAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.add(t, "ann", good)
		w.deps.Directories = []Directory{asking{}}
		w.Service = w.open()
		for _, name := range []string{"ann", "bob", "nobody"} {
			began := time.Now()
			if _, err := w.Login(t.Context(), name, "a wrong password", From{Remote: name}); !errors.Is(err, login.ErrUnauthenticated) {
				t.Error(err)
			}
			if took := time.Since(began); took != evenly {
				t.Errorf("%s: %s", name, took)
			}
		}
		began := time.Now()
		if w.logs(t, "ann", good, nil); time.Since(began) != 0 {
			t.Error("who is let in waits")
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := w.Login(gone, "nobody", "a wrong password", From{}); err == nil || time.Since(began) > 10*time.Millisecond {
			t.Errorf("who has gone is waited for: %v", err)
		}
	})
}
