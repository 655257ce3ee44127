package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
	"github.com/signalbox-project/signalbox/internal/store/storetest/statetest"
)

// naming "seals" by writing the names of a key and of the secret before it.
type naming struct{ key string }

func (n naming) prefix(what string) string { return seal.Prefix + n.key + "|" + what + "|" }

func (n naming) Seal(plain []byte, what string) ([]byte, error) {
	return append([]byte(n.prefix(what)), bytes.ToUpper(plain)...), nil
}

func (n naming) Open(kept []byte, what string) ([]byte, bool, error) {
	if !seal.Is(kept) {
		return kept, false, nil
	}
	if !strings.HasPrefix(string(kept), seal.Prefix+n.key) {
		return nil, false, errors.New("another key")
	}
	plain, ok := bytes.CutPrefix(kept, []byte(n.prefix(what)))
	if !ok {
		return nil, false, fmt.Errorf("%s: %w", what, seal.ErrDamaged)
	}
	return bytes.ToLower(plain), true, nil
}

func inner(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: dir}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func with(t *testing.T, in Inner, s seal.Sealer) *Store {
	t.Helper()
	out, err := Open(t.Context(), in, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func users(t *testing.T, s store.UserStore) (out []string) {
	t.Helper()
	list, err := s.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list {
		out = append(out, u.Name+"="+u.Password)
	}
	return out
}

func add(t *testing.T, s store.UserStore, name, password string) {
	t.Helper()
	if err := s.AddUser(t.Context(), store.User{Name: name, Password: password}); err != nil {
		t.Fatal(err)
	}
}

func TestASealedStoreIsAStateStore(t *testing.T) {
	statetest.State(t, func(t *testing.T) func() store.State {
		dir := t.TempDir()
		return func() store.State { return with(t, inner(t, dir), naming{"a"}) }
	})
}

func TestPasswordsAreWrittenSealedAndReadOpen(t *testing.T) {
	in := inner(t, t.TempDir())
	add(t, in, "ann", "one")
	add(t, in, "bob", "")
	s := with(t, in, naming{"a"})
	add(t, s, "cid", "three")
	if err := s.SaveUser(t.Context(), store.User{Name: "bob", Password: "two"}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(users(t, s)); got != "[ann=one bob=two cid=three]" {
		t.Error(got)
	}
	for i, got := range users(t, in) {
		name, kept, _ := strings.Cut(got, "=")
		want := naming{"a"}.prefix("the password of user "+name) + []string{"ONE", "TWO", "THREE"}[i]
		if kept != want {
			t.Errorf("%s: %s, want %s", name, kept, want)
		}
	}
	if _, err := Open(t.Context(), in, naming{"b"}, nil); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("without the key: %v", err)
	}
	if _, err := Open(t.Context(), in, seal.Plain{}, nil); err == nil || !strings.Contains(err.Error(), "seal.keys") {
		t.Errorf("without any key: %v", err)
	}
}

// The hash of one user, put in the place of another's, lets nobody in, and is named.
func TestAPasswordOfAnotherIsDamaged(t *testing.T) {
	in := inner(t, t.TempDir())
	s := with(t, in, naming{"a"})
	add(t, s, "ann", "one")
	add(t, s, "bob", "two")
	list, err := in.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list[1].Password = list[0].Password
	if err := in.SaveUser(t.Context(), list[1]); err != nil {
		t.Fatal(err)
	}
	s = with(t, in, naming{"a"})
	if got := fmt.Sprint(users(t, s)); got != "[ann=one bob=]" {
		t.Error(got)
	}
	problems := fmt.Sprint(s.Problems())
	if !strings.Contains(problems, "The password of user bob is damaged") || strings.Contains(problems, "ann") {
		t.Error(problems)
	}
}

// full is a store on a full disk.
type full struct{ Inner }

func (full) SaveUser(context.Context, store.User) error { return store.ErrReadOnly }

func TestAFullDiskIsNoReasonNotToStart(t *testing.T) {
	in := inner(t, t.TempDir())
	add(t, in, "ann", "one")
	s := with(t, full{in}, naming{"a"})
	if got := fmt.Sprint(users(t, s)); got != "[ann=one]" || !strings.Contains(fmt.Sprint(s.Problems()), "Free disk space") {
		t.Error(got, s.Problems())
	}
}
