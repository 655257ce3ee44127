package ask_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAReportIsWrittenInTheFormatOfItsFile(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Encode()
		_, _ = w.Write([]byte("as " + r.URL.Query().Get("format")))
	}))
	defer server.Close()
	dir := t.TempDir()
	for _, c := range []struct{ name, args, asked, content, file string }{
		{"text on a terminal", "", "audience=customer&format=text&months=6&time_zone=UTC", "as text", ""},
		{"Markdown by the file's name", "-o october.md --period 2026-10 --time-zone Europe/Berlin", "audience=customer&format=md&months=6&period=2026-10&time_zone=Europe%2FBerlin", "as md", "october.md"},
		{"what was asked for, whatever the name", "-o x.md --format csv --audience internal", "audience=internal&format=csv&months=6&time_zone=UTC", "as csv", "x.md"},
		{"text for other names", "-o x.out", "audience=customer&format=text&months=6&time_zone=UTC", "as text", "x.out"},
		{"selected", "--json --start 2026-10-01 --end 2026-10-08 --slo a --service b --team c --as-of now-1d --months 1", "as_of=now-1d&audience=customer&end=2026-10-08&format=json&months=1&service=b&slo=a&start=2026-10-01&team=c&time_zone=UTC", "as json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"slo", "report", "--server", server.URL}, strings.Fields(c.args)...)
			for i, a := range args {
				if c.file != "" && a == c.file {
					args[i] = filepath.Join(dir, c.file)
				}
			}
			status, out, errOut := run(t, args...)
			if status != 0 || asked != c.asked {
				t.Fatalf("exit %d, %s, asked %s, want %s", status, errOut, asked, c.asked)
			}
			if c.file == "" {
				if out != c.content {
					t.Errorf("printed %q", out)
				}
				return
			}
			content, err := os.ReadFile(filepath.Join(dir, c.file))
			if err != nil || string(content) != c.content || out != "" {
				t.Errorf("wrote %q, printed %q: %v", content, out, err)
			}
		})
	}
}

func TestAReportThatCannotBeWrittenSaysWhy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":"bad_request","message":"period: nothing has happened in it yet"}}`))
	}))
	defer server.Close()
	if status, _, errOut := run(t, "slo", "report", "--server", server.URL); status != 3 || !strings.Contains(errOut, "nothing has happened in it yet") {
		t.Errorf("exit %d, %q", status, errOut)
	}
	if status, _, errOut := run(t, "slo", "report", "--format", "pdf"); status != 2 || !strings.Contains(errOut, "neither text, md, csv nor json") {
		t.Errorf("exit %d, %q", status, errOut)
	}
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer good.Close()
	if status, _, errOut := run(t, "slo", "report", "--server", good.URL, "-o", filepath.Join(t.TempDir(), "no", "x.md")); status != 3 || !strings.Contains(errOut, "write report") {
		t.Errorf("exit %d, %q", status, errOut)
	}
}
