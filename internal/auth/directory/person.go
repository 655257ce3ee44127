package directory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// person is an entry of the directory.
type person struct {
	dn, name, display, ref string
	entry                  *ldap.Entry
}

// find looks for exactly one person.
func (d *Directory) find(conn *ldap.Conn, filter string) (person, error) {
	cfg := d.cfg.User
	attributes := []string{
		cfg.NameAttribute, cfg.DisplayAttribute, "uid", "entryUUID", "objectGUID", "objectSid", "primaryGroupID",
		"userAccountControl", "accountExpires", "pwdAccountLockedTime", "nsAccountLock", "shadowExpire",
	}
	req := ldap.NewSearchRequest(cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, 0, false, filter, attributes, nil)
	res, err := conn.Search(req)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || err == nil && len(res.Entries) > 1:
		return person{}, &login.Unavailable{Provider: d.cfg.Name, Err: errors.New("user.filter finds several people by one name"), Cure: "make user.filter find one"}
	case err != nil:
		return person{}, fmt.Errorf("look for a person: %w", err)
	case len(res.Entries) == 0:
		return person{}, login.ErrUnauthenticated
	}
	return d.personOf(res.Entries[0])
}

func (d *Directory) personOf(e *ldap.Entry) (person, error) {
	names := e.GetEqualFoldAttributeValues(d.cfg.User.NameAttribute)
	if len(names) != 1 || !login.Sayable(names[0], maxTyped) {
		return person{}, &login.Unavailable{
			Provider: d.cfg.Name, Err: fmt.Errorf("%s has %d values of %s, or one that does not print", e.DN, len(names), d.cfg.User.NameAttribute),
			Cure: "choose an attribute of which people have exactly one by user.name_attribute",
		}
	}
	if e.DN == "" {
		return person{}, broken{errors.New("an entry has no name")}
	}
	p := person{dn: e.DN, name: names[0], display: e.GetEqualFoldAttributeValue(d.cfg.User.DisplayAttribute), ref: refOf(e), entry: e}
	if !login.Sayable(p.display, maxTyped) {
		p.display = p.name
	}
	return p, nil
}

// refOf is by what an entry is found again when it was renamed or moved.
func refOf(e *ldap.Entry) string {
	for _, a := range []string{"objectGUID", "entryUUID"} {
		if v := e.GetEqualFoldRawAttributeValue(a); len(v) > 0 {
			return a + "=" + hex.EncodeToString(v)
		}
	}
	return "entryDN=" + hex.EncodeToString([]byte(e.DN))
}

// byRef is the filter that finds what refOf named.
func byRef(ref string) (string, bool) {
	attribute, value, _ := strings.Cut(ref, "=")
	raw, err := hex.DecodeString(value)
	if err != nil || len(raw) == 0 || !attributeForm.MatchString(attribute) {
		return "", false
	}
	var b strings.Builder
	for _, c := range raw {
		fmt.Fprintf(&b, `\%02x`, c)
	}
	return "(" + attribute + "=" + b.String() + ")", true
}

const (
	accountDisabled = 0x2         // a bit of userAccountControl
	fileTimeEpoch   = 11644473600 // seconds from 1601 to 1970
)

// standing says whether the directory lets the person in: a bind isn't needed to see that somebody was disabled.
func (d *Directory) standing(p person) error {
	disabled := &login.Refused{Provider: d.cfg.Name, Why: "your account is disabled", Cure: "ask who runs the directory"}
	expired := &login.Refused{Provider: d.cfg.Name, Why: "your account has expired", Cure: "ask who runs the directory"}
	get := p.entry.GetEqualFoldAttributeValue
	if d.cfg.Profile == ActiveDirectory {
		control, err := strconv.ParseInt(get("userAccountControl"), 10, 64)
		if err != nil {
			return &login.Unavailable{Provider: d.cfg.Name, Err: fmt.Errorf("userAccountControl of %s is not readable", p.dn), Cure: "let bind_dn read it: without it nobody knows who is disabled"}
		}
		if control&accountDisabled != 0 {
			return disabled
		}
		if at, ok := expiry(get("accountExpires")); ok && !d.now().Before(at) {
			return expired
		}
		return nil
	}
	if get("pwdAccountLockedTime") == "000001010000Z" || strings.EqualFold(get("nsAccountLock"), "true") {
		return disabled
	}
	if days, err := strconv.ParseInt(get("shadowExpire"), 10, 32); err == nil && days >= 0 && !d.now().Before(time.Unix(days*86400, 0)) {
		return expired
	}
	return nil
}

// expiry reads a time of Windows, of which two values mean never.
func expiry(text string) (time.Time, bool) {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v <= 0 || v == math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(v/1e7-fileTimeEpoch, v%1e7*100), true
}
