package weblink

import (
	"regexp"
	"testing"
)

func TestWhichLinksMayBeShown(t *testing.T) {
	for _, text := range []string{
		"", "https://ci.example/job/7", "http://ci.example:8080/a?b=c#d", "HTTPS://ci.example/", "https://[::1]/x", "https://ci.example/%0a?q=javascript:x", "https://bücher.example/ü",
	} {
		if err := Check(text); err != nil || OrNone(text) != text {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\x00javascript:alert(1)", "\x01https://x.example",
		"javascript&colon;alert(1)", "&#106;avascript:alert(1)", "javascript://x.example/%0aalert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "ftp://x.example",
		"//x.example", "/relative", "x.example", "https:x.example", "https:///x", "https:\\\\x.example", "https://a@x.example", "https://a:b@x.example/", "https://x.example/a b", "https://x.example/\u202e",
		"https://x.example/\xff", "http://", "https://:80/", "blob:https://x.example/1", "http\u200bs://x.example",
	} {
		if Check(text) == nil || OrNone(text) != "" {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestWhatABrowserWouldRun(t *testing.T) {
	for _, text := range []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", " \n\tjava\tscript:alert(1)", "\x00javascript:x", "java\u200bscript:x", "vbscript:x", "data:text/html,<script>", "data:,x", "data:;base64,eA==", "DATA: text/html;base64,x",
	} {
		if !Runs(text) {
			t.Errorf("%q is taken", text)
		}
	}
	for _, text := range []string{"", "https://x.example/?q=javascript:x", "Data: 5 rows are missing", "data missing", "Error: the disk is full", "javascript is off", "mailto:a@x.example", "runbooks/javascript:x"} {
		if Runs(text) {
			t.Errorf("%q is refused", text)
		}
	}
}

// What is taken begins as a browser reads it, too: with the scheme, two slashes and a host.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"https://x.example/", "java\tscript:x", "https:\\x", "\x00http://x"} {
		f.Add(s)
	}
	plain := regexp.MustCompile(`^(?i:https?)://[^/?#\\@\s\x00-\x20]+([/?#][^\\\x00-\x20]*)?$`)
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" && Check(text) == nil && !plain.MatchString(text) {
			t.Errorf("%q is taken", text)
		}
	})
}
