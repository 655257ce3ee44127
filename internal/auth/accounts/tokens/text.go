package tokens

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// Prefix begins every token, so that people and secret scanners know one: sbx_, 16 of a-z2-7 that name it, _, 52 of A-Z2-7,
// and the CRC-32 of all before in 8 hex digits, which tells a token from text that looks like one.
const Prefix = "sbx_"

const (
	idLength     = 16
	secretLength = keys.SecretLength
	sumLength    = 8
	textLength   = len(Prefix) + idLength + 1 + secretLength + sumLength
)

// newID names a token.
func newID() string { return strings.ToLower(rand.Text()[:idLength]) }

// newText is a token of an ID, and the hash to keep.
func newText(id string) (text, hash string) {
	secret := keys.NewSecret()
	text = Prefix + id + "_" + secret
	return text + sumOf(text), keys.Hash(secret)
}

func sumOf(text string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) }

// parse takes a token apart. It says nothing about whether there is such a token.
func parse(text string) (id, secret string, ok bool) {
	if len(text) != textLength || !strings.HasPrefix(text, Prefix) {
		return "", "", false
	}
	id = text[len(Prefix) : len(Prefix)+idLength]
	rest := text[len(Prefix)+idLength:]
	secret = rest[1 : 1+secretLength]
	ok = rest[0] == '_' && only(id, "abcdefghijklmnopqrstuvwxyz234567") && only(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") &&
		sumOf(text[:textLength-sumLength]) == text[textLength-sumLength:]
	return id, secret, ok
}

func only(text, of string) bool {
	return strings.Trim(text, of) == ""
}

// OfRequest is the token that a request shows: as Authorization: Bearer, or as the password of Basic for clients that know
// nothing else, whatever the user's name. "" is none. A token in the URL is an error, also beside another, but for that of a calendar
// (OfCalendar).
func OfRequest(r *http.Request) (string, error) {
	if strings.Contains(r.URL.RawQuery, Prefix) || strings.Contains(r.URL.Path, Prefix) {
		if inURL(r.URL.RawQuery) || inURL(r.URL.Path) {
			return "", login.ErrTokenInURL
		}
	}
	shown := r.Header.Values("Authorization")
	switch len(shown) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", login.ErrUnauthenticated // which of them counts is not to be guessed
	}
	scheme, rest, _ := strings.Cut(shown[0], " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest), nil
	}
	if _, password, ok := r.BasicAuth(); ok && strings.HasPrefix(password, Prefix) {
		return password, nil
	}
	return "", nil
}

// OfCalendar is the token in the address of a request for a calendar, from a program that can send no header; "" is none. It
// is believed only if OnlyCalendar.
func OfCalendar(r *http.Request) string {
	text := r.URL.Query().Get(access.CalendarToken)
	if r.URL.Path != access.CalendarPath || r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.Header.Values("Authorization")) > 0 {
		return ""
	}
	if _, _, ok := parse(text); !ok || len(looks().FindAllString(r.URL.RawQuery, -1)) != 1 {
		return ""
	}
	return text
}

// OnlyCalendar says whether a token shows who is on call and opens nothing else, so that it may stand in an address.
func OnlyCalendar(id access.Identity) bool {
	other := func(g access.Grant) bool { return g.Role != access.RoleCalendar }
	return len(id.Grants) > 0 && !slices.ContainsFunc(id.Grants, other)
}

var looks = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(fmt.Sprintf(`%s[a-z2-7]{%d}_[A-Z2-7]{%d}[0-9a-f]{%d}`, Prefix, idLength, secretLength, sumLength))
})

// inURL finds whole tokens, and not the search for what begins like one.
func inURL(text string) bool {
	for _, found := range looks().FindAllString(text, -1) {
		if _, _, ok := parse(found); ok {
			return true
		}
	}
	return false
}
