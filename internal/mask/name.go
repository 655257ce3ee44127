package mask

import "strings"

// plain is a name with one spelling: words in small letters with dots between them. user_email and userEmail are user.email.
func plain(name string) string {
	var b strings.Builder
	b.Grow(len(name) + 2)
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if i > 0 && ('a' <= name[i-1] && name[i-1] <= 'z' || '0' <= name[i-1] && name[i-1] <= '9') {
				b.WriteByte('.')
			}
			b.WriteByte(c + 'a' - 'A')
		case c >= 0x80, '0' <= c && c <= '9', 'a' <= c && c <= 'z', c == '*':
			b.WriteByte(c)
		default:
			b.WriteByte('.')
		}
	}
	return b.String()
}

// glob is a plain name in which * stands for any characters.
type glob string

// covers reports whether a plain name is the glob's, ends with it as a word, or lies below such a name.
func (g glob) covers(name string) bool {
	for from := 0; ; {
		if g.begins(name[from:]) {
			return true
		}
		dot := strings.IndexByte(name[from:], '.')
		if dot < 0 {
			return false
		}
		from += dot + 1
	}
}

// begins reports whether the glob matches name up to a dot or its end.
func (g glob) begins(name string) bool {
	// at holds which prefixes of the glob match what was read of the name, as in a state machine: globs are short.
	at := make([]bool, len(g)+1)
	at[0] = true
	g.skip(at)
	for i := 0; ; i++ {
		if at[len(g)] && (i == len(name) || name[i] == '.') {
			return true
		}
		if i == len(name) {
			return false
		}
		next := make([]bool, len(g)+1)
		for j := range len(g) {
			switch {
			case !at[j]:
			case g[j] == '*':
				next[j] = true
			case g[j] == name[i]:
				next[j+1] = true
			}
		}
		g.skip(next)
		at = next
	}
}

// skip lets stars stand for nothing.
func (g glob) skip(at []bool) {
	for j := range len(g) {
		if at[j] && g[j] == '*' {
			at[j+1] = true
		}
	}
}
