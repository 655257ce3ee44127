package fit_test

import (
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

func TestALinkBreaksOutOfNothing(t *testing.T) {
	for in, want := range map[string]string{
		"https://x.example/a?b=c&d=e#f": "https://x.example/a?b=c&d=e#f", "http://[::1]:80/": "http://[::1]:80/", "": "",
		`https://x.example/?q="><b>|(x)`: "https://x.example/?q=%22%3E%3Cb%3E%7C%28x%29",
		"javascript:alert(1)":            "", "https://x.example/" + strings.Repeat("u", 100): "", "ftp://x.example": "", "https://x.example/a b": "", "//x.example": "",
	} {
		if got := fit.Link(in, 80); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
