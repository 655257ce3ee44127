// Package contacts proves that the contacts of people are theirs: a code is sent there, and whoever read it says it.
//
// In: a contact of the roster, a code. Out: documents that say which contacts are verified, since when and by whom.
//
// Invariants: a contact whose address is changed is not verified any more. A code is good for ten minutes and five tries, is
// kept as a keyed hash, and is sent once a minute at most.
//
// Start reading at Verifier.Send.
package contacts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	kind     = "oncall.contact"
	goodFor  = 10 * time.Minute
	again    = time.Minute
	maxTries = 5
	patience = 30 * time.Second
)

// Verifier verifies contacts. It is safe for concurrent use.
type Verifier struct {
	documents store.DocumentStore
	courier   notify.Courier
	roster    func() oncall.Roster
	now       func() time.Time
}

// New makes a Verifier.
func New(documents store.DocumentStore, courier notify.Courier, roster func() oncall.Roster, now func() time.Time) *Verifier {
	return &Verifier{documents: documents, courier: courier, roster: roster, now: now}
}

// ContactState is a contact as far as it is verified. It does not say the address.
type ContactState struct {
	Person   string     `json:"person"`
	Contact  string     `json:"contact"`
	Channel  string     `json:"channel"`
	Usable   bool       `json:"usable" doc:"the channel is set up"`
	Verified *time.Time `json:"verified,omitempty" doc:"absent: it is not"`
	By       string     `json:"by,omitempty" doc:"who said the code"`
}

// proof is the document of one contact.
type proof struct {
	Verified time.Time `json:"verified,omitzero"`
	By       string    `json:"by,omitempty"`
	Salt     string    `json:"salt,omitempty"`
	Code     string    `json:"code,omitempty"` // hash of salt and code
	Sent     time.Time `json:"sent,omitzero"`
	Tries    int       `json:"tries,omitempty"`
}

// badRequest is the caller's fault.
type badRequest struct{ error }

// BadRequest says whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// id names a contact by its address too: another address is another contact.
func id(person string, c policy.Contact) string {
	sum := sha256.Sum256([]byte(c.Channel + "\x00" + c.Address))
	return person + ":" + c.Name + ":" + hex.EncodeToString(sum[:8])
}

func (v *Verifier) find(person, contact string) (policy.Contact, error) {
	p, ok := v.roster().Person(person)
	if !ok {
		return policy.Contact{}, fmt.Errorf("%q is nobody in people of oncall_files: %w", person, store.ErrNotFound)
	}
	for _, c := range p.Reach().Contacts {
		if c.Name == contact {
			return c, nil
		}
	}
	return policy.Contact{}, fmt.Errorf("%s has no contact %q: %w", person, contact, store.ErrNotFound)
}

func (v *Verifier) load(ctx context.Context, id string) (p proof, version int64, err error) {
	d, err := v.documents.Document(ctx, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return p, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Body, &p)
	}
	return p, d.Version, err
}

func (v *Verifier) save(ctx context.Context, id string, p proof, version int64) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = v.documents.SaveDocuments(ctx, store.Document{Kind: kind, ID: id, Version: version, Time: v.now(), Body: body})
	return err
}

// Send sends a code to a contact.
func (v *Verifier) Send(ctx context.Context, person, contact string) error {
	c, err := v.find(person, contact)
	if err != nil {
		return err
	}
	name := id(person, c)
	p, version, err := v.load(ctx, name)
	if err != nil {
		return err
	}
	now := v.now()
	if left := p.Sent.Add(again).Sub(now); left > 0 && left <= again {
		return refuse("a code was sent just now: the next one can be sent in %s", left.Round(time.Second))
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	code := fmt.Sprintf("%06d", n)
	p.Salt = rand.Text()
	p.Code, p.Sent, p.Tries = hash(p.Salt, code), now.UTC(), 0
	if err := v.save(ctx, name, p, version); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	_, err = v.courier.Deliver(ctx, notify.Message{
		DedupKey: "verify " + name + " " + p.Salt, Kind: notify.Verification, Title: "Signalbox: is this yours?", Time: now.UTC(),
		To:   notify.Target{Channel: c.Channel, Address: c.Address, Person: person},
		Text: code,
	}, nil)
	if err != nil {
		return fmt.Errorf("the code could not be sent to %s of %s: %w", contact, person, err)
	}
	return nil
}

func hash(salt, code string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + code))
	return hex.EncodeToString(sum[:])
}

// Confirm believes a contact to whoever says its code.
func (v *Verifier) Confirm(ctx context.Context, person, contact, code, by string) (ContactState, error) {
	c, err := v.find(person, contact)
	if err != nil {
		return ContactState{}, err
	}
	name := id(person, c)
	p, version, err := v.load(ctx, name)
	if err != nil {
		return ContactState{}, err
	}
	now := v.now()
	switch age := now.Sub(p.Sent); {
	case p.Code == "":
		return ContactState{}, refuse("no code was sent to %s of %s", contact, person)
	case age > goodFor || age < -goodFor:
		return ContactState{}, refuse("the code is too old: have another one sent")
	case p.Tries >= maxTries:
		return ContactState{}, refuse("that was tried too often: have another code sent")
	}
	// The try counts before it is compared, so that many at once are not many tries.
	p.Tries++
	right := subtle.ConstantTimeCompare([]byte(hash(p.Salt, code)), []byte(p.Code)) == 1
	if right {
		p = proof{Verified: now.UTC(), By: by}
	}
	if err := v.save(ctx, name, p, version); err != nil {
		return ContactState{}, err
	}
	if !right {
		return ContactState{}, refuse("that is not the code; %d tries are left", maxTries-p.Tries)
	}
	return v.state(person, c, p), nil
}

func (v *Verifier) state(person string, c policy.Contact, p proof) ContactState {
	s := ContactState{Person: person, Contact: c.Name, Channel: c.Channel, By: p.By, Usable: c.Channel == notify.InboxChannel}
	for _, usable := range v.courier.Channels() {
		s.Usable = s.Usable || usable == c.Channel
	}
	if !p.Verified.IsZero() {
		s.Verified = &p.Verified
	}
	return s
}

// Contacts are those of all people.
func (v *Verifier) Contacts(ctx context.Context) ([]ContactState, error) {
	out := []ContactState{}
	for _, p := range v.roster().People {
		for _, c := range p.Reach().Contacts {
			pr, _, err := v.load(ctx, id(p.Name, c))
			if err != nil {
				return nil, err
			}
			out = append(out, v.state(p.Name, c, pr))
		}
	}
	return out, nil
}
