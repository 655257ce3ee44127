package password

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The lengths of passwords. NIST SP 800-63B asks for at least 8 characters, 15 where the password is all there is
// (revision 4), and for at least 64 to be taken; there are no rules of which kinds of characters, and no
// password expires.
const (
	minRunes = 12
	maxBytes = 1024
)

// WeakError says why a password is not taken.
type WeakError struct{ reason string }

func (e *WeakError) Error() string { return "password: " + e.reason }

// BadRequest says that the caller can mend it.
func (*WeakError) BadRequest() {}

// Check refuses a password that is short or that somebody guesses first. words are what is known of its owner.
func Check(text string, words ...string) error {
	weak := func(format string, args ...any) error { return &WeakError{reason: fmt.Sprintf(format, args...)} }
	if len(text) > maxBytes {
		return weak("it is longer than %d bytes; choose a shorter one", maxBytes)
	}
	if !utf8.ValidString(text) {
		return weak("it is not valid text; choose another")
	}
	text = norm.NFKC.String(text)
	if n := utf8.RuneCountInString(text); n < minRunes {
		return weak("it has %d characters and needs at least %d; a few words in a row are easy to remember", n, minRunes)
	}
	low := strings.ToLower(text)
	rest := low
	for _, w := range append(slices.Clone(words), "signalbox", "password", "passwort", "admin", "welcome", "letmein", "qwerty", "qwertz") {
		if len(w) > 2 {
			rest = strings.ReplaceAll(rest, strings.ToLower(w), "")
		}
	}
	switch {
	case slices.Contains(common(), low):
		return weak("it is one of those that are tried first; choose another")
	case repeats(low):
		return weak("it repeats itself; choose another")
	case sequence(low):
		return weak("it is a row of the alphabet, of digits or of the keyboard; choose another")
	case utf8.RuneCountInString(strings.Trim(rest, "0123456789!?.-_ ")) < 4:
		return weak("but for a few characters it is a name or word that is guessed first; add words of your own")
	}
	return nil
}

// repeats says whether text is one short piece again and again.
func repeats(text string) bool {
	r := []rune(text)
	for size := 1; size <= 4; size++ {
		same := true
		for i := size; i < len(r) && same; i++ {
			same = r[i] == r[i-size]
		}
		if same {
			return true
		}
	}
	return false
}

// sequence says whether text is a piece of a row that hands type without thinking, in either direction.
func sequence(text string) bool {
	backwards := []rune(text)
	slices.Reverse(backwards)
	for _, row := range []string{
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "01234567890123456789012345678901234567890",
		"1234567890qwertyuiopasdfghjklzxcvbnm", "1234567890qwertzuiopasdfghjklyxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
		"qwertyuiop[]asdfghjkl;'zxcvbnm,./", "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p",
	} {
		if strings.Contains(row, text) || strings.Contains(row, string(backwards)) {
			return true
		}
	}
	return false
}

// common are long passwords that every list of stolen ones begins with.
func common() []string {
	return []string{
		"correcthorsebatterystaple", "correct horse battery staple", "changemechangeme", "changeme1234", "iloveyou1234", "trustno1trustno1",
		"football1234", "baseball1234", "princess1234", "sunshine1234", "monkey123456", "dragon123456", "superman1234", "batman123456",
		"michael12345", "abc123abc123", "123456789abc", "123456abcdef", "abcdef123456", "a1b2c3d4e5f6", "1q2w3e4r5t6y", "zaq12wsxcde3",
		"summer2024!!", "summer2025!!", "summer2026!!", "winter2024!!", "winter2025!!", "winter2026!!", "p@ssw0rd1234", "p@ssword1234",
		"passw0rd1234", "thisismypassword", "mypassword123", "default12345", "test12345678", "testtesttest1", "secret123456", "supersecret123",
	}
}
