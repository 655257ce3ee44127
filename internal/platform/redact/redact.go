// Package redact takes secrets out of text that people and other programs may
// see: labels, logs, messages and configurations.
//
// It goes by form and by name: the user part of a URL, query parameters, header
// fields and YAML keys whose name says that their value is secret. It cannot know a secret that
// stands where none is expected. In: text. Out: the same text with Mask in place
// of each secret; text without any is returned as it is.
//
// Start reading at Text, then YAML.
package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// Mask stands where a secret stood.
const Mask = "xxxxx"

// Text masks secrets in the URLs of a text and in Authorization fields.
func Text(s string) string {
	if strings.Contains(s, "://") {
		s = urls(s)
	}
	lower := strings.ToLower(s)
	if strings.Contains(lower, "bearer ") || strings.Contains(lower, "authorization") {
		s = credentials.ReplaceAllString(s, "${1}"+Mask)
	}
	return s
}

// credentials finds what stands for one: "Authorization: Basic …", "Bearer …".
var credentials = regexp.MustCompile(`(?i)(\bauthorization["']?\s*[:=]\s*\[?["']?(?:(?:basic|bearer|digest|token|apikey)\s+)?|\bbearer\s+)[^\s"'\],]{5,}`)

// urls masks every URL in s.
func urls(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		start := i + len("://")
		end := start
		for end < len(s) && !strings.ContainsRune(" \t\r\n\"'<>`\\", rune(s[end])) {
			end++
		}
		b.WriteString(s[:start])
		b.WriteString(rest(s[start:end]))
		s = s[end:]
	}
}

// rest masks what follows the scheme of a URL.
func rest(s string) string {
	authority, tail := s, ""
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		authority, tail = s[:i], s[i:]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, _, password := strings.Cut(authority[:at], ":")
		if password && user != "" {
			authority = user + ":" + Mask + authority[at:]
		} else { // a token alone
			authority = Mask + authority[at:]
		}
	}
	path, query, found := strings.Cut(tail, "?")
	if !found {
		path, query, found = strings.Cut(tail, "#")
		if !found {
			return authority + tail
		}
		return authority + path + "#" + parameters(query)
	}
	return authority + path + "?" + parameters(query)
}

func parameters(query string) string {
	var b strings.Builder
	for len(query) > 0 {
		end := strings.IndexAny(query, "&;#")
		if end < 0 {
			end = len(query)
		}
		name, _, hasValue := strings.Cut(query[:end], "=")
		if plain, err := url.QueryUnescape(name); err == nil && hasValue && Secret(plain) {
			b.WriteString(name + "=" + Mask)
		} else {
			b.WriteString(query[:end])
		}
		if end < len(query) {
			b.WriteByte(query[end])
			end++
		}
		query = query[end:]
	}
	return b.String()
}

// Secret says whether the value of a parameter, a header or a key of that name
// is one that nobody should see.
func Secret(name string) bool {
	n := strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(name))
	for _, end := range []string{"file", "url", "uri", "ref", "type", "name", "version"} {
		if strings.HasSuffix(n, end) {
			return false
		}
	}
	for _, part := range []string{
		"password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "routingkey", "servicekey", "userkey",
		"credential", "signature", "sessionid", "cookie", "authorization", "jwt",
	} {
		if strings.Contains(n, part) {
			return true
		}
	}
	switch n {
	case "key", "auth", "sig", "pwd", "pw", "pass", "sid", "code", "xauth":
		return true
	}
	return false
}

// YAML masks secrets in a YAML text in block style, as marshallers write it:
// the values of keys whose name says so, what a list below such a key has, and Text's.
func YAML(s string) string {
	lines := strings.Split(s, "\n")
	within := -1 // indent of the secret key whose block these lines may be
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		item := strings.HasPrefix(trimmed, "- ")
		if within >= 0 && (indent > within || indent == within && item) {
			if item {
				lines[i] = line[:indent] + "- " + Mask
				continue
			}
		} else if trimmed != "" {
			within = -1
		}
		for strings.HasPrefix(trimmed, "- ") {
			trimmed = strings.TrimLeft(trimmed[2:], " ")
		}
		key, value, ok := strings.Cut(trimmed, ":")
		if !ok || value != "" && value[0] != ' ' || !Secret(strings.Trim(key, `"'`)) {
			lines[i] = Text(line)
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case value == "":
			within = len(line) - len(trimmed)
		case value != "<secret>" && value != `""` && value != "null" && value != "false" && value != "true":
			lines[i] = line[:len(line)-len(trimmed)] + key + ": " + Mask
		}
	}
	return strings.Join(lines, "\n")
}
