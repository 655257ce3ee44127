package identifiers

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

// kept names say which series one is, which bucket, or whose; none identifies a person.
func kept(name string) bool {
	switch name {
	case "__name__", "le", "quantile", access.NamespaceLabel, "tenant":
		return true
	}
	return false
}

// flat is a name without its separators and capitals: user.id, user_id and userId are one.
func flat(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if !separator(name[i]) {
			b.WriteByte(lower(name[i]))
		}
	}
	return b.String()
}

// endsWith reports whether name is a flat one, or ends with it as a word of its own.
func endsWith(name, flat string) bool {
	i := len(name)
	for at := len(flat) - 1; at >= 0; at-- {
		i--
		for i >= 0 && separator(name[i]) {
			i--
		}
		if i < 0 || lower(name[i]) != flat[at] {
			return false
		}
	}
	return i == 0 || begins(name, i)
}

// begins reports whether a word begins at name[i]: after a separator, or at a capital after a small letter or a digit.
func begins(name string, i int) bool {
	prev := name[i-1]
	return separator(prev) || upper(name[i]) && !upper(prev)
}

func separator(c byte) bool {
	return c < 0x80 && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }

func lower(c byte) byte {
	if upper(c) {
		return c + 'a' - 'A'
	}
	return c
}
