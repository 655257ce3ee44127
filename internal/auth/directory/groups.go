package directory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

const (
	pageSize  = 500
	maxGroups = 5000 // of one person
	inOneGo   = 50   // members that are asked for in one search
	// inChain has Active Directory walk groups within groups itself.
	inChain = "1.2.840.113556.1.4.1941"
)

// walk collects the groups of a person.
type walk struct {
	d     *Directory
	conn  *ldap.Conn
	seen  map[string]bool // names of entries, so that groups within each other end
	names []string
}

// groupsOf are the names of a person's groups, sorted.
func (d *Directory) groupsOf(conn *ldap.Conn, p person) ([]string, error) {
	if d.cfg.Groups.BaseDN == "" {
		return nil, nil
	}
	w := &walk{d: d, conn: conn, seen: map[string]bool{}}
	var err error
	if d.cfg.Profile == ActiveDirectory {
		err = w.activeDirectory(p)
	} else {
		err = w.levels(p)
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(w.names)
	return slices.Compact(w.names), nil
}

// activeDirectory asks for all levels at once. The primary group is no member's: it is found by its number.
func (w *walk) activeDirectory(p person) error {
	of := []string{p.dn}
	if sid, ok := primaryGroup(p.entry); ok {
		found, err := w.search("(objectSid=" + sid + ")")
		if err != nil {
			return err
		}
		of = append(of, found...)
	}
	rule := ":" + inChain + ":="
	if w.d.cfg.Groups.DirectOnly {
		rule, of = "=", of[:1]
	}
	_, err := w.search(w.membersFilter(of, rule, ""))
	return err
}

// levels asks for the groups, then for the groups that these are in, and so on.
func (w *walk) levels(p person) error {
	of, name := []string{p.dn}, p.entry.GetEqualFoldAttributeValue("uid")
	for depth := 0; len(of) > 0; depth++ {
		if depth == w.d.cfg.Groups.MaxDepth {
			// Fewer groups than somebody has may be more rights, where a rule forbids: none at all is safe.
			return &login.Unavailable{Provider: w.d.cfg.Name, Err: fmt.Errorf("%s is in groups deeper than %d", p.dn, depth), Cure: "raise groups.max_depth"}
		}
		var next []string
		for part := range slices.Chunk(of, inOneGo) {
			found, err := w.search(w.membersFilter(part, "=", name))
			if err != nil {
				return err
			}
			next = append(next, found...)
		}
		if of, name = next, ""; w.d.cfg.Groups.DirectOnly {
			break
		}
	}
	return nil
}

// membersFilter finds groups that have one of some members; memberUid holds login names, of people only.
func (w *walk) membersFilter(dns []string, is, name string) string {
	var b strings.Builder
	for _, attribute := range w.d.cfg.Groups.MemberAttributes {
		if strings.EqualFold(attribute, "memberUid") {
			if name != "" {
				fmt.Fprintf(&b, "(%s=%s)", attribute, ldap.EscapeFilter(name))
			}
			continue
		}
		for _, dn := range dns {
			fmt.Fprintf(&b, "(%s%s%s)", attribute, is, ldap.EscapeFilter(dn))
		}
	}
	if b.Len() == 0 {
		return "(!(objectClass=*))" // nobody's: groups of login names only, within each other
	}
	return "(|" + b.String() + ")"
}

// search adds the groups that a filter finds and gives the names of the entries that are new.
func (w *walk) search(filter string) ([]string, error) {
	cfg := w.d.cfg.Groups
	req := ldap.NewSearchRequest(cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(&"+cfg.Filter+filter+")", []string{cfg.NameAttribute}, nil)
	res, err := w.conn.SearchWithPaging(req, pageSize)
	if err != nil {
		return nil, fmt.Errorf("look for groups: %w", err)
	}
	var found []string
	for _, e := range res.Entries {
		key := e.DN
		if dn, err := ldap.ParseDN(e.DN); err == nil {
			key = strings.ToLower(dn.String())
		}
		if e.DN == "" || w.seen[key] {
			continue
		}
		w.seen[key] = true
		found = append(found, e.DN)
		if name := e.GetEqualFoldAttributeValue(cfg.NameAttribute); name != "" {
			w.names = append(w.names, name)
		} else if strings.EqualFold(cfg.NameAttribute, "dn") {
			w.names = append(w.names, e.DN)
		}
	}
	if len(w.seen) > maxGroups {
		return nil, &login.Unavailable{Provider: w.d.cfg.Name, Err: errors.New("somebody is in more than 5000 groups"), Cure: "narrow groups.base_dn or groups.filter"}
	}
	return found, nil
}

// primaryGroup is the security id of the primary group, escaped for a filter: that of the person, whose last number is
// the person's own, with the group's number in its place.
func primaryGroup(e *ldap.Entry) (string, bool) {
	sid := slices.Clone(e.GetEqualFoldRawAttributeValue("objectSid"))
	number, err := strconv.ParseUint(e.GetEqualFoldAttributeValue("primaryGroupID"), 10, 32)
	if err != nil || len(sid) < 12 {
		return "", false
	}
	binary.LittleEndian.PutUint32(sid[len(sid)-4:], uint32(number))
	var b strings.Builder
	for _, c := range sid {
		fmt.Fprintf(&b, `\%02x`, c)
	}
	return b.String(), true
}
