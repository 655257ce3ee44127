package links

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

type spent map[string]time.Time

func (s spent) Spend(_ context.Context, id string, until time.Time) error {
	if _, ok := s[id]; ok {
		return store.ErrSpent
	}
	s[id] = until
	return nil
}

func (s spent) DropSpent(_ context.Context, before time.Time) error {
	for id, until := range s {
		if until.Before(before) {
			delete(s, id)
		}
	}
	return nil
}

var epoch = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestALinkIsForOnePersonOneThingOnce(t *testing.T) {
	now, st := epoch, spent{}
	l := New([]byte("key"), st, func() time.Time { return now })
	text, err := l.Sign(Claim{Purpose: Acknowledge, Thing: "p1", Subject: "user:ann", Name: "Ann", Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // programs that scan mail open it, too
		c, err := l.Look(text, Acknowledge)
		if err != nil || c.Thing != "p1" || c.Tenant != "acme" || c.Identity().Subject != "user:ann" || c.Identity().Kind != access.Link {
			t.Fatal(c, err)
		}
	}
	if _, err := l.Look(text, Password); !errors.Is(err, login.ErrLink) {
		t.Error("it is good for something else", err)
	}
	if _, err := l.Use(t.Context(), text, Password); !errors.Is(err, login.ErrLink) || len(st) > 0 {
		t.Error("something else uses it up", err)
	}
	if _, err := l.Use(t.Context(), text, Acknowledge); err != nil {
		t.Error(err)
	}
	if _, err := l.Use(t.Context(), text, Acknowledge); !errors.Is(err, login.ErrLink) {
		t.Error("it is used twice", err)
	}
	if _, err := New([]byte("another"), spent{}, l.now).Look(text, Acknowledge); !errors.Is(err, login.ErrLink) {
		t.Error("another key believes it", err)
	}
	now = epoch.Add(Lifetime - time.Second)
	if _, err := l.Look(text, Acknowledge); err != nil {
		t.Error("it ends early", err)
	}
	if l.Keep(t.Context()); len(st) != 1 {
		t.Error("what is believed still is not remembered")
	}
	now = epoch.Add(Lifetime)
	if _, err := l.Look(text, Acknowledge); !errors.Is(err, login.ErrLink) {
		t.Error("it does not end", err)
	}
	now = epoch.Add(Lifetime + 2*time.Hour)
	if l.Keep(t.Context()); len(st) != 0 {
		t.Error("what nobody believes is remembered")
	}
}

func FuzzLook(f *testing.F) {
	l := New([]byte("key"), spent{}, func() time.Time { return epoch })
	good, _ := l.Sign(Claim{Purpose: Acknowledge, Thing: "p1", Subject: "user:ann"})
	payload, mac, _ := strings.Cut(good, ".")
	for _, text := range []string{
		"", ".", good + "=", good + ".", "." + mac, payload + ".", payload + "." + base64.RawURLEncoding.EncodeToString(nil), strings.ToUpper(good),
		base64.RawURLEncoding.EncodeToString([]byte(`{"i":"x","p":"ack","t":"p2","s":"user:ann","e":"2036-01-01T00:00:00Z"}`)) + "." + mac,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := l.Look(text, Acknowledge); err == nil && text != good {
			t.Errorf("%q is believed: %+v", text, c)
		}
	})
}
