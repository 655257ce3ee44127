package model

import (
	"strings"
	"unicode"
)

// ParseLevel reads a level's name as the field's loggers write it, in any case
// and between spaces or brackets: the words of syslog, of java.util.logging, .NET, glog,
// Serilog and logrus, their abbreviations, and OpenTelemetry's short names
// of severity numbers (INFO3, ERROR2). The empty text is LevelUnset and known.
func ParseLevel(s string) (Level, bool) {
	name := strings.ToLower(strings.Trim(strings.TrimSpace(s), "[]()<>|:\"'"))
	if l, ok := levelNamed(name); ok {
		return l, true
	}
	// trace2 … fatal4
	if n := len(name); n > 1 && name[n-1] >= '1' && name[n-1] <= '4' {
		switch name[:n-1] {
		case "trace", "debug", "info", "warn", "error", "fatal":
			return levelNamed(name[:n-1])
		}
	}
	return LevelUnset, false
}

func levelNamed(name string) (Level, bool) {
	switch name {
	case "":
		return LevelUnset, true
	case "trace", "trc", "t", "verbose", "vrb", "v", "finest", "finer", "silly":
		return LevelTrace, true
	case "debug", "dbg", "dbug", "d", "fine", "config":
		return LevelDebug, true
	case "info", "inf", "i", "information", "informational", "notice", "note", "n", "success", "default":
		return LevelInfo, true
	case "warn", "wrn", "w", "warning":
		return LevelWarn, true
	case "err", "error", "fail", "e", "severe", "failure":
		return LevelError, true
	case "crit", "critical", "c", "crt", "alert", "a", "emerg", "emergency", "panic", "pnc", "dpanic", "fatal", "ftl", "f":
		return LevelFatal, true
	}
	return LevelUnset, false
}

// LevelOfNumber reads a level that a logger writes as a number: hundreds as
// Monolog and multiples of ten as pino and bunyan, one digit as syslog (so GELF and journald) do.
func LevelOfNumber(n int64) Level {
	switch {
	case n >= 100 && n <= 600: // Monolog: 100 debug, 200 info, 250 notice, 300 warning, 400 error, 500 critical …
		return []Level{LevelDebug, LevelInfo, LevelWarn, LevelError, LevelFatal, LevelFatal}[n/100-1]
	case n >= 10 && n < 100:
		return min(LevelTrace+Level(n/10-1), LevelFatal)
	case n >= 0 && n <= 2:
		return LevelFatal
	case n == 3:
		return LevelError
	case n == 4:
		return LevelWarn
	case n == 5 || n == 6:
		return LevelInfo
	case n == 7:
		return LevelDebug
	}
	return LevelUnset
}

// levelWithin is how many words of a line may come before its level: times, hosts,
// threads.
const levelWithin = 6

// LevelOfText finds the level in a line of text: level=error and the like of
// logfmt, the letter that glog and klog begin with, or a level's name in capitals or
// brackets behind times and brackets only. Prose that speaks of an error has no level.
func LevelOfText(line string) Level {
	line = trimEscapes(line)
	if l := glogLevel(line); l != LevelUnset {
		return l
	}
	if l := logfmtLevel(line); l != LevelUnset {
		return l
	}
	rest := line
	for range levelWithin {
		var word string
		word, rest = nextWord(rest)
		if word == "" {
			return LevelUnset
		}
		if l := headLevel(word); l != LevelUnset {
			return l
		}
		if !preamble(word) {
			return LevelUnset
		}
	}
	return LevelUnset
}

func nextWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// headLevel is the level of a word such as ERROR, ERROR:, [error], <4>, |WARN|.
func headLevel(word string) Level {
	word = trimEscapes(word)
	bare := strings.Trim(word, "[]()<>|:,-")
	if bare == "" {
		return LevelUnset
	}
	bracketed := word[0] == '[' || word[0] == '<' || word[0] == '(' || word[0] == '|'
	if len(bare) < 3 || !bracketed && strings.ToUpper(bare) != bare && !strings.HasSuffix(word, ":") {
		return LevelUnset
	}
	l, _ := ParseLevel(bare)
	return l
}

// preamble says whether a word may stand before the level: it has a digit or is
// in brackets or is a lone sign.
func preamble(word string) bool {
	return strings.ContainsFunc(word, unicode.IsDigit) || strings.ContainsAny(word[:1], "[(<|-") || len(word) == 1 ||
		len(word) == 3 && isMonthOrDay(word)
}

func isMonthOrDay(word string) bool {
	const names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun UTC"
	return strings.Contains(names, word)
}

// glogLevel reads E1130 05:42:10.123456 of glog and klog.
func glogLevel(line string) Level {
	if len(line) < 20 || strings.IndexByte("IWEFD", line[0]) < 0 || line[5] != ' ' || line[8] != ':' || line[11] != ':' {
		return LevelUnset
	}
	for _, i := range []int{1, 2, 3, 4, 6, 7} {
		if line[i] < '0' || line[i] > '9' {
			return LevelUnset
		}
	}
	l, _ := ParseLevel(line[:1])
	return l
}

// logfmtLevel reads level=, lvl= and severity= of logfmt.
func logfmtLevel(line string) Level {
	for _, key := range []string{"level=", "lvl=", "severity=", "loglevel="} {
		i := strings.Index(line, key)
		if i < 0 || i > 0 && line[i-1] != ' ' && line[i-1] != '\t' {
			continue
		}
		word, _ := nextWord(line[i+len(key):])
		if l, _ := ParseLevel(strings.Trim(word, `",;`)); l != LevelUnset {
			return l
		}
	}
	return LevelUnset
}

// trimEscapes leaves out the colours that a console logger begins with.
func trimEscapes(s string) string {
	for strings.HasPrefix(s, "\x1b[") {
		end := strings.IndexFunc(s[2:], func(r rune) bool { return r >= '@' && r <= '~' })
		if end < 0 {
			return s
		}
		s = s[2+end+1:]
	}
	if i := strings.Index(s, "\x1b["); i > 0 && !strings.ContainsAny(s[:i], " \t") {
		return s[:i] + trimEscapes(s[i:])
	}
	return s
}
