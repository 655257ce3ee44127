package password

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// cheap keeps tests quick; Validate would refuse it.
func cheap(t *testing.T) *Hasher {
	t.Helper()
	h, err := New(Config{MemoryKiB: 64, Iterations: 1, Parallelism: 1, AtOnce: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAPasswordIsKnownAgain(t *testing.T) {
	h := cheap(t)
	kept, err := h.Hash(t.Context(), "a long ﬁne passphrase")
	if err != nil || !strings.HasPrefix(kept, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatal(kept, err)
	}
	other, err := h.Hash(t.Context(), "a long ﬁne passphrase")
	if err != nil || other == kept {
		t.Error("two users of one password are seen to have it", err)
	}
	for text, want := range map[string]bool{
		"a long ﬁne passphrase": true, "a long fine passphrase": true, // the same in NFKC
		"a long fine passphrasE": false, "": false,
	} {
		if right, outdated, err := h.Verify(t.Context(), kept, text); right != want || outdated || err != nil {
			t.Errorf("%q: %v %v %v", text, right, outdated, err)
		}
	}
	dearer, err := New(Config{MemoryKiB: 64, Iterations: 2, Parallelism: 1, AtOnce: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if right, outdated, _ := dearer.Verify(t.Context(), kept, "a long fine passphrase"); !right || !outdated {
		t.Error("a password of cheaper parameters is to be hashed anew", right, outdated)
	}
	if _, outdated, _ := dearer.Verify(t.Context(), kept, "wrong"); outdated {
		t.Error("a wrong password is never to be kept")
	}
}

// The reference vector of RFC 9106's argon2id takes a secret and associated data, which the library does not offer;
// this one is of the reference implementation's command line (argon2 somesalt -id -t 2 -m 16 -p 1 for "password").
func TestAStringOfAnotherImplementationIsRead(t *testing.T) {
	const kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if right, outdated, err := cheap(t).Verify(t.Context(), kept, "password"); !right || outdated || err != nil {
		t.Error(right, outdated, err)
	}
}

// What an edited database holds costs no more than a hash of ours, and lets nobody in.
func TestWhatCannotBeReadLetsNobodyIn(t *testing.T) {
	h := cheap(t)
	for _, kept := range []string{
		"", "$", "plain text", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=64,t=1,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFh",
	} {
		before := testutil.ToFloat64(h.hashes)
		right, _, err := h.Verify(t.Context(), kept, "")
		if right || err != nil || testutil.ToFloat64(h.hashes) != before+1 {
			t.Errorf("%q: %v %v", kept, right, err)
		}
	}
}

// A flood holds the memory of AtOnce hashes: the others wait, and those too many are sent away.
func TestAFloodIsBounded(t *testing.T) {
	h := cheap(t)
	h.slots <- struct{}{} // one hash that takes for ever
	ctx, giveUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	var sent, gaveUp int
	arrived := make(chan struct{}, 100)
	for range 30 {
		wg.Go(func() {
			_, _, err := h.Verify(ctx, "", "x")
			mu.Lock()
			defer mu.Unlock()
			var wait *login.Throttled
			switch {
			case errors.As(err, &wait) && wait.RetryAfter > 0:
				sent++
				arrived <- struct{}{}
			case errors.Is(err, context.Canceled):
				gaveUp++
			}
		})
	}
	most := 1 + waitingEach
	for range 30 - most {
		<-arrived
	}
	giveUp()
	wg.Wait()
	if sent != 30-most || gaveUp != most || testutil.ToFloat64(h.hashes) != 0 {
		t.Errorf("%d sent away, %d waited, %v hashed", sent, gaveUp, testutil.ToFloat64(h.hashes))
	}
	<-h.slots
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Error("afterwards it goes on:", err)
	}
}

func TestWhichPasswordsAreTaken(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "needs at least 12",
		"elevenchars":                      "needs at least 12",
		"ﬁﬁﬁﬁﬁﬁ abc":                       "", // 16 characters in NFKC
		"pässwörter sind lang":             "",
		"twelve chars":                     "",
		"four lower words here":            "",
		strings.Repeat("a", 64):            "repeats itself",
		"abcabcabcabc":                     "repeats itself",
		"abcdefghijklm":                    "row of the",
		"0987654321098":                    "row of the",
		"qwertyuiopas":                     "row of the",
		"signalbox123!":                    "guessed first",
		"Password2026!":                    "guessed first",
		"ann.smith 2026":                   "guessed first",
		"Correct Horse Battery Staple":     "tried first",
		"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc": "not valid text",
		strings.Repeat("x9", 600):          "longer than",
	} {
		err := Check(text, "ann.smith", "")
		var weak *WeakError
		if (want == "") != (err == nil) || err != nil && (!errors.As(err, &weak) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
		if err != nil && len(text) > 3 && strings.Contains(err.Error(), text) {
			t.Errorf("%.40q stands in its own error", text)
		}
	}
}

func TestTheDefaultsAreWhatIsRecommended(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	weak := Config{MemoryKiB: 18 << 10, Iterations: 1}
	if errs := weak.Validate(); len(errs) != 4 {
		t.Error(errs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := parse(text); ok && (p.String() != text || p.memory > maxMemoryKiB || p.passes > maxPasses || p.passes == 0 || p.lanes == 0) {
			t.Errorf("%q is taken for %+v", text, p)
		}
	})
}
