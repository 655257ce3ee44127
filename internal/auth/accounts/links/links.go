// Package links signs links that let one person do one thing once: acknowledge a page from a phone, choose a password.
//
// It knows neither pages nor passwords. In: what a link is for. Out: its text, and later the same from the text.
//
// Invariants: a link is believed for its own purpose, until it expires, and is used once, also after a restart. Looking at a link
// uses nothing: programs that scan mail open every address with GET, so a GET shows what the link would do and a
// POST does it.
//
// Start reading at Links.
package links

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Purpose is what a link is good for.
type Purpose string

// The purposes of links.
const (
	Acknowledge Purpose = "ack"      // Thing is a page's ID
	Password    Purpose = "password" // Thing says which password of the person is replaced
)

// Lifetime is how long a link is believed.
const Lifetime = 24 * time.Hour

// Claim is what a link says.
type Claim struct {
	ID      string    `json:"i"`
	Purpose Purpose   `json:"p"`
	Thing   string    `json:"t"`
	Subject string    `json:"s"` // of the person
	Name    string    `json:"n,omitempty"`
	Tenant  string    `json:"o,omitempty"`
	Expires time.Time `json:"e"`
}

// Identity is whom the link was sent to; Session is the link's ID.
func (c Claim) Identity() access.Identity {
	return access.Identity{Subject: c.Subject, Name: c.Name, Kind: access.Link, Session: c.ID}
}

// Links signs and believes.
type Links struct {
	key   []byte
	store store.SpentStore
	now   func() time.Time
}

const maxText = 4096

// New signs with a key.
func New(key []byte, st store.SpentStore, now func() time.Time) *Links {
	return &Links{key: key, store: st, now: now}
}

// Sign makes a link's text; ID and Expires of the claim are filled in.
func (l *Links) Sign(c Claim) (string, error) {
	c.ID, c.Expires = rand.Text(), l.now().Add(Lifetime).UTC().Truncate(time.Second)
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	b := base64.RawURLEncoding
	text := b.EncodeToString(payload)
	text += "." + b.EncodeToString(l.mac(text))
	if len(text) > maxText {
		return "", errors.New("sign link: its names are too long")
	}
	return text, nil
}

func (l *Links) mac(text string) []byte {
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte("signalbox link 1\n" + text))
	return h.Sum(nil)
}

// Look is what a link says, if it is to be believed. It may have been used.
func (l *Links) Look(text string, p Purpose) (Claim, error) {
	payload, mac, ok := strings.Cut(text, ".")
	if !ok || len(text) > maxText {
		return Claim{}, login.ErrLink
	}
	b := base64.RawURLEncoding.Strict()
	given, err := b.DecodeString(mac)
	if err != nil || !hmac.Equal(given, l.mac(payload)) {
		return Claim{}, login.ErrLink
	}
	var c Claim
	said, err := b.DecodeString(payload)
	if err != nil || json.Unmarshal(said, &c) != nil || c.Purpose != p || !l.now().Before(c.Expires) {
		return Claim{}, login.ErrLink
	}
	return c, nil
}

// Use is Look, for the one who does it first.
func (l *Links) Use(ctx context.Context, text string, p Purpose) (Claim, error) {
	c, err := l.Look(text, p)
	if err != nil {
		return Claim{}, err
	}
	// A clock that goes back by less than an hour makes nothing usable again.
	err = l.store.Spend(ctx, c.ID, c.Expires.Add(time.Hour))
	if errors.Is(err, store.ErrSpent) {
		return Claim{}, login.ErrLink
	}
	return c, err
}

// Keep forgets the links that nobody would believe any more.
func (l *Links) Keep(ctx context.Context) error {
	return l.store.DropSpent(ctx, l.now())
}
