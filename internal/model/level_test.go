package model

import "testing"

func TestLevelsOfTheFieldsLoggers(t *testing.T) {
	for text, want := range map[string]Level{
		"ERROR2": LevelError, "INFO3": LevelInfo, "WRN": LevelWarn, "E": LevelError, "[error]": LevelError,
		"Information": LevelInfo, "SEVERE": LevelError, "FINE": LevelDebug, "Verbose": LevelTrace, "ftl": LevelFatal, "Emerg": LevelFatal,
		"": LevelUnset,
	} {
		if got, ok := ParseLevel(text); got != want || !ok {
			t.Errorf("%q is %s, %v, want %s", text, got, ok, want)
		}
	}
	if got, ok := ParseLevel(" warning\t"); got != LevelWarn || !ok {
		t.Errorf("with spaces around it: %s, %v", got, ok)
	}
	for _, text := range []string{"errors", "INFO5", "x", "0", "informationx", "trace0"} {
		if got, ok := ParseLevel(text); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestLevelsAsNumbers(t *testing.T) {
	for n, want := range map[int64]Level{
		10: LevelTrace, 20: LevelDebug, 30: LevelInfo, 40: LevelWarn, 50: LevelError, 60: LevelFatal, // pino, bunyan
		35: LevelInfo, 0: LevelFatal, 3: LevelError, 4: LevelWarn, 6: LevelInfo, 7: LevelDebug, // a level between; syslog
		100: LevelDebug, 300: LevelWarn, 400: LevelError, 600: LevelFatal, // Monolog
		8: LevelUnset, -1: LevelUnset, 1000: LevelUnset,
	} {
		if got := LevelOfNumber(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestLevelsInLinesOfText(t *testing.T) {
	for line, want := range map[string]Level{
		"level=error msg=logfmt":                                        LevelError,
		`time=2026-11-30T05:42:10Z level="warn" msg="a b"`:              LevelWarn,
		"ts=1 caller=main.go:3 lvl=info msg=x":                          LevelInfo,
		"E1130 05:42:10.123456   12 file.go:1] cannot reach":            LevelError,
		"2026-11-30 05:42:10,123 ERROR [main] c.e.Shop - failed":        LevelError,
		"2026-11-30T05:42:10Z [warn] slow":                              LevelWarn,
		"[Mon Nov 30 05:42:10.1 2026] [core:error] [pid 7] AH00037":     LevelUnset,
		"2026/11/30 05:42:10 [error] 29#29: *1 connect() failed":        LevelError,
		"INFO:     Started server process [1]":                          LevelInfo,
		"Nov 30 05:42:10 host app[7]: x":                                LevelUnset,
		"\x1b[31mERROR\x1b[0m connection refused":                       LevelError,
		"\x1b[2m2026-11-30T05:42:10Z\x1b[0m \x1b[32m INFO\x1b[0m ready": LevelInfo,
		"WARN  slow query":                                              LevelWarn,
		"Error handling was tested":                                     LevelUnset,
		"no ERROR was found":                                            LevelUnset,
		"A line of prose":                                               LevelUnset,
		"":                                                              LevelUnset,
		"sublevel=error":                                                LevelUnset,
		"fatal: not a git repository":                                   LevelFatal,
	} {
		if got := LevelOfText(line); got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

func FuzzLevelOfText(f *testing.F) {
	f.Add("2026-11-30 05:42:10 ERROR x")
	f.Add("\x1b[31mERROR\x1b[0m")
	f.Fuzz(func(t *testing.T, line string) {
		if l := LevelOfText(line); l > LevelFatal {
			t.Errorf("%q has the level %d", line, l)
		}
	})
}
