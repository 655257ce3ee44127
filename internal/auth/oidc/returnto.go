package oidc

import (
	"net/url"
	"strings"
	"unicode"
)

const maxReturnTo = 2048

// onOurSide makes of where somebody wants to go after the login a path of our own origin, "/" if it is none: browsers
// read // and /\ as the beginning of another host, and drop tabs and line ends before they do.
func onOurSide(returnTo string) string {
	odd := func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }
	if len(returnTo) > maxReturnTo || !strings.HasPrefix(returnTo, "/") || strings.HasPrefix(returnTo, "//") || strings.ContainsFunc(returnTo, odd) {
		return "/"
	}
	u, err := url.Parse(returnTo)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, odd) {
		return "/"
	}
	if strings.HasPrefix(u.Path+"/", "/auth/") && u.Path != "/auth/device" { // a login that begins or ends another one goes round
		return "/"
	}
	return u.String()
}
