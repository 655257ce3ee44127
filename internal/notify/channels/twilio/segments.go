package twilio

import (
	"strings"
	"unicode/utf16"

	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// The alphabet of text messages (GSM 03.38), and what of its extension, where a character counts twice.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// maxSegments bounds what one text costs.
const maxSegments = 3

// simple are characters for which the alphabet has others that say the same: one of them would make every segment less than half as long.
var simple = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‘", "'", "’", "'", "‚", "'", "–", "-", "—", "-", "‑", "-", "…", "...", "·", "-", "•", "-",
	"\u00a0", " ", "\u202f", " ", "\t", " ", "`", "'", "×", "x", "→", "->", "≥", ">=", "≤", "<=")

// septets is the length in the alphabet of text messages; ok is false where it has not all the characters.
func septets(s string) (n int, ok bool) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			n++
		case strings.ContainsRune(gsmExtended, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// segments is in how many parts a text is sent, and paid: 160 or 153 characters of the alphabet each, or 70 or 67 units of UTF-16.
func segments(s string) int {
	one, each := 160, 153
	n, ok := septets(s)
	if !ok {
		one, each, n = 70, 67, len(utf16.Encode([]rune(s)))
	}
	if n <= one {
		return 1
	}
	// A character of two is not divided: a segment may end one short.
	return (n + each - 2) / (each - 1)
}

// inSegments is a text and what must stand at its end, within maxSegments.
func inSegments(text, end string) string {
	text, end = simple.Replace(text), simple.Replace(end)
	if segments(text+end) <= maxSegments {
		return text + end
	}
	// How much of it fits is found by halves: its alphabet may change with what is cut.
	least, most := 0, len([]rune(text))
	for least < most {
		mid := (least + most + 1) / 2
		if segments(cut(text, mid)+end) <= maxSegments {
			least = mid
		} else {
			most = mid - 1
		}
	}
	return cut(text, least) + end
}

func cut(text string, most int) string {
	return strings.ReplaceAll(fit.Runes(text, most), "…", "...")
}
