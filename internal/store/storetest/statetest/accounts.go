package statetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/store"
)

func user(name string) store.User {
	return store.User{Name: name, Shown: "Ann Ö.", Password: "$argon2id$v=19$x", Groups: []string{"a", "b"}, Created: stateEpoch, Changed: stateEpoch.Add(1)}
}

func session(id string, after time.Duration) store.Session {
	return store.Session{
		ID: id, Hash: "hash of " + id, Created: stateEpoch.Add(after), Expires: stateEpoch.Add(after + time.Hour), Agent: "browser",
		Identity: access.Identity{Subject: "user:ann", Name: "Ann", Kind: access.User, Groups: []string{"a"}, Provider: "local"},
		Seen:     stateEpoch.Add(after), Remote: "192.0.2.1",
	}
}

func token(id string, after time.Duration) store.Token {
	return store.Token{
		ID: id, Hash: "hash of " + id, Former: "older", FormerUntil: stateEpoch, Name: "pipeline", Maker: "user:ann",
		Owner:   access.Identity{Subject: "user:ann", Name: "Ann", Kind: access.User, Groups: []string{"a"}, Provider: "local"},
		Grants:  []access.Grant{{Role: "viewer", Tenants: []string{"*"}}, {Role: "editor", Namespaces: []string{"pay"}}},
		Created: stateEpoch.Add(after), Expires: stateEpoch.Add(after + time.Hour),
	}
}

func stateUsers(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	ann, bob := user("ann"), user("bob")
	must(t, s.AddUser(ctx, bob))
	must(t, s.AddUser(ctx, ann))
	if err := s.AddUser(ctx, user("ann")); !errors.Is(err, store.ErrSpent) {
		t.Errorf("a second user of one name: %v", err)
	}
	must(t, s.AddUser(ctx, user("Ann"))) // another name
	notFound(t, s.SaveUser(ctx, user("nobody")))
	ann.Disabled, ann.Groups = true, nil
	must(t, s.SaveUser(ctx, ann))
	s = reopen(t, s, open)
	got, err := s.Users(ctx)
	must(t, err)
	equal(t, "users by name", got, []store.User{user("Ann"), ann, bob})
	must(t, s.DeleteUser(ctx, "ann"))
	notFound(t, s.DeleteUser(ctx, "ann"))
	must(t, s.AddUser(ctx, ann))
	if err := s.AddUser(ctx, store.User{}); err == nil || errors.Is(err, store.ErrSpent) {
		t.Errorf("a user without a name: %v", err)
	}
}

func stateSessions(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	old, current, tie := session("b", 0), session("a", time.Second), session("c", time.Second)
	for _, v := range []store.Session{tie, current, old} {
		must(t, s.AddSession(ctx, v))
	}
	twin := session("d", 0)
	twin.Hash = old.Hash
	for what, v := range map[string]store.Session{"an id that exists": session("a", 0), "a hash that exists": twin, "no id": {Hash: "x"}, "no hash": {ID: "x"}} {
		if s.AddSession(ctx, v) == nil {
			t.Errorf("%s is no error", what)
		}
	}
	later := stateEpoch.Add(time.Minute)
	must(t, s.DeleteSessions(ctx, "c", "none"))
	must(t, s.DeleteSessions(ctx))
	must(t, s.SessionsSeen(ctx, []store.Seen{{ID: "b", Time: later, Remote: "::1"}, {ID: "c", Time: later}}))
	must(t, s.SessionsSeen(ctx, nil))
	notFound(t, s.SaveSession(ctx, tie))
	again := current
	again.Identity.Groups, again.Recheck, again.Ref, again.Sid, again.Kept = []string{"b"}, later, "ref", "sid", "sealed"
	changed := again
	changed.Hash, changed.Seen, changed.Remote = "another", later, "::2" // which stay
	must(t, s.SaveSession(ctx, changed))
	s = reopen(t, s, open)
	got, err := s.Sessions(ctx)
	must(t, err)
	old.Seen, old.Remote = later, "::1"
	equal(t, "sessions, one gone for good", got, []store.Session{old, again})
}

func stateTokens(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	old, current, tie := token("b", 0), token("a", time.Second), token("c", time.Second)
	for _, v := range []store.Token{tie, current, old} {
		must(t, s.AddToken(ctx, v))
	}
	for what, v := range map[string]store.Token{"an id that exists": token("a", 0), "no id": {Hash: "x"}, "no hash": {ID: "x"}} {
		if s.AddToken(ctx, v) == nil {
			t.Errorf("%s is no error", what)
		}
	}
	later := stateEpoch.Add(time.Minute)
	must(t, s.TokensSeen(ctx, []store.Seen{{ID: "b", Time: later, Remote: "::1"}}))
	must(t, s.DeleteTokens(ctx, "c", "none"))
	must(t, s.TokensSeen(ctx, []store.Seen{{ID: "c", Time: later}}))
	notFound(t, s.SaveToken(ctx, tie))
	old.Hash, old.Former = "new", old.Hash
	must(t, s.SaveToken(ctx, old)) // without what was seen meanwhile
	s = reopen(t, s, open)
	got, err := s.Tokens(ctx)
	must(t, err)
	old.Seen, old.Remote = later, "::1"
	equal(t, "tokens, one gone for good", got, []store.Token{old, current})
}

func stateSpent(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	won := atOnce(func(int) error { return s.Spend(ctx, "link", stateEpoch) })
	equal(t, "who used one link at once", won, 1)
	must(t, s.Spend(ctx, "another", stateEpoch.Add(1)))
	s = reopen(t, s, open)
	if err := s.Spend(ctx, "link", stateEpoch.Add(time.Hour)); !errors.Is(err, store.ErrSpent) {
		t.Errorf("used again after a restart: %v", err)
	}
	must(t, s.DropSpent(ctx, stateEpoch))
	if err := s.Spend(ctx, "link", stateEpoch); !errors.Is(err, store.ErrSpent) {
		t.Errorf("forgotten a moment too early: %v", err)
	}
	must(t, s.DropSpent(ctx, stateEpoch.Add(1)))
	must(t, s.Spend(ctx, "link", stateEpoch))
	if err := s.Spend(ctx, "another", stateEpoch); !errors.Is(err, store.ErrSpent) {
		t.Errorf("forgotten with another: %v", err)
	}
}

// Of accounts, too, one wins a race, and what was ended stays so whoever writes at the same time.
func stateAccountRaces(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	equal(t, "users of one name that were accepted", atOnce(func(int) error { return s.AddUser(ctx, user("ann")) }), 1)
	equal(t, "who deleted one user", atOnce(func(int) error { return s.DeleteUser(ctx, "ann") }), 1)
	for round := range 10 {
		id := fmt.Sprint(round)
		must(t, s.AddSession(ctx, session(id, 0)))
		must(t, s.AddToken(ctx, token(id, 0)))
		atOnce(func(i int) error {
			switch i % 4 {
			case 0:
				return errors.Join(s.DeleteSessions(ctx, id), s.DeleteTokens(ctx, id))
			case 1:
				return errors.Join(s.SaveToken(ctx, token(id, 0)), s.SaveSession(ctx, session(id, 0)))
			}
			seen := []store.Seen{{ID: id, Time: stateEpoch}}
			return errors.Join(s.SessionsSeen(ctx, seen), s.TokensSeen(ctx, seen))
		})
	}
	sessions, err := s.Sessions(ctx)
	must(t, err)
	tokens, err := s.Tokens(ctx)
	must(t, err)
	equal(t, "what came back after its end", len(sessions)+len(tokens), 0)
}

// Names and what browsers say of themselves are any text; a closed store says so; a call that was given up leaves nothing.
func stateAccountsOdd(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	odd := "'; DROP TABLE users; -- \u0000 ünï😀 \n\t\\"
	u, v, w := user(odd), session(odd, 0), token(odd, 0)
	v.Agent, v.Remote, w.Name, w.Grants[0].Namespaces = odd, odd, odd, []string{odd}
	must(t, errors.Join(s.AddUser(ctx, u), s.AddSession(ctx, v), s.AddToken(ctx, w), s.Spend(ctx, odd, time.Time{})))
	s = reopen(t, s, open)
	users, err := s.Users(ctx)
	must(t, err)
	equal(t, "user", users, []store.User{u})
	sessions, err := s.Sessions(ctx)
	must(t, err)
	equal(t, "session", sessions, []store.Session{v})
	tokens, err := s.Tokens(ctx)
	must(t, err)
	equal(t, "token", tokens, []store.Token{w})
	must(t, s.Close())
	_, users1 := s.Users(ctx)
	_, sessions1 := s.Sessions(ctx)
	_, tokens1 := s.Tokens(ctx)
	for what, err := range map[string]error{
		"Users": users1, "Sessions": sessions1, "Tokens": tokens1, "AddUser": s.AddUser(ctx, user("x")), "SaveUser": s.SaveUser(ctx, u),
		"DeleteUser": s.DeleteUser(ctx, odd), "AddSession": s.AddSession(ctx, session("x", 0)), "AddToken": s.AddToken(ctx, token("x", 0)),
		"SaveToken": s.SaveToken(ctx, w), "SaveSession": s.SaveSession(ctx, v), "DeleteTokens": s.DeleteTokens(ctx, odd), "DeleteSessions": s.DeleteSessions(ctx, odd),
		"Spend": s.Spend(ctx, "x", stateEpoch), "DropSpent": s.DropSpent(ctx, stateEpoch),
		"SessionsSeen": s.SessionsSeen(ctx, []store.Seen{{ID: odd}}), "TokensSeen": s.TokensSeen(ctx, []store.Seen{{ID: odd}}),
	} {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrSpent) {
			t.Errorf("%s of a closed store answers %v", what, err)
		}
	}
}
