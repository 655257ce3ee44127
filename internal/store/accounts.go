package store

import (
	"errors"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

// ErrSpent is returned for what can be done once and was done before.
var ErrSpent = errors.New("used before")

// User is somebody whose password Signalbox itself keeps.
type User struct {
	Name     string    `json:"name"` // for good; unique
	Shown    string    `json:"shown,omitempty"`
	Password string    `json:"password"` // as a PHC string; "" lets nobody in
	Groups   []string  `json:"groups,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
	// Changed is when the password was chosen; zero until then.
	Changed time.Time `json:"changed,omitzero"`
}

// Session is one browser in which somebody has logged in. Seen and Remote are of the last request that
// Seen told of.
type Session struct {
	ID string `json:"id"` // names it; opens nothing
	// Hash is of what the browser shows.
	Hash     string          `json:"-"`
	Identity access.Identity `json:"identity"`
	Created  time.Time       `json:"created"`
	Expires  time.Time       `json:"expires"` // whatever is done meanwhile
	Agent    string          `json:"agent,omitempty"`
	// Ref, Sid and Kept are what the provider of the identity finds the person by; Kept is sealed.
	Ref  string `json:"ref,omitempty"`
	Sid  string `json:"sid,omitempty"`
	Kept string `json:"kept,omitempty"`
	// Recheck is when the provider is asked again; zero for one that cannot be.
	Recheck time.Time `json:"recheck,omitzero"`
	Seen    time.Time `json:"-"`
	Remote  string    `json:"-"`
}

// Token is an API token.
type Token struct {
	ID          string    `json:"id"` // names it; opens nothing
	Hash        string    `json:"hash"`
	Former      string    `json:"former,omitempty"` // the hash before it was rotated
	FormerUntil time.Time `json:"former_until,omitzero"`
	Name        string    `json:"name"`
	// Owner is whom the token belongs to, and never outdoes. A service account's has no subject.
	Owner access.Identity `json:"owner"`
	Maker string          `json:"maker"` // the subject of who made it
	// Grants are what it may at most.
	Grants  []access.Grant `json:"grants"`
	Created time.Time      `json:"created"`
	Expires time.Time      `json:"expires"`
	Seen    time.Time      `json:"-"` // as Seen told; zero until the first use
	Remote  string         `json:"-"`
}

// Seen is when and from where a session or a token was used.
type Seen struct {
	ID     string
	Time   time.Time
	Remote string
}
