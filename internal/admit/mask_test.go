package admit

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestFieldNamesMatchAsWords(t *testing.T) {
	m, err := newMasker(DefaultConfig().PII, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		"password": true, "Password": true, "db.password": true, "access_token": true, "apiSecret": true,
		"http.request.header.authorization": true, "http.response.header.set-cookie": true, "X-Token": true,
		"token_count": false, "secretary": false, "nontoken": false, "cookies": false, "DBTOKEN": false, "": false,
	} {
		if got := m.field(key); got != want {
			t.Errorf("field(%q) = %v, want %v", key, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, in, want string }{
		{"email", "mail to jane.doe+x@mail.example.com, please", "mail to ***, please"},
		{"email", "user@localhost has no domain", "user@localhost has no domain"},
		{"card", "card 4111 1111 1111 1111 declined", "card *** declined"},
		{"card", "card 4111-1111-1111-1111.", "card ***."},
		{"card", "order 12 4111111111111111", "order 12 ***"},
		{"card", "4111111111111112 fails the check digit", "4111111111111112 fails the check digit"},
		{"card", "id_4111111111111111", "id_4111111111111111"},
		{"card", "00000000000000000000", "00000000000000000000"},
		{"card", "5555555555554444 and 378282246310005", "*** and ***"},
		{"bearer", "Authorization: Bearer eyJhbGciOi.J9-_x==, next", "Authorization: Bearer ***, next"},
		{"bearer", "BEARER abcdefgh", "BEARER ***"},
		{"bearer", "the bearer of news", "the bearer of news"},
		{"/ssn-[0-9]+/", "x ssn-123 y", "x *** y"},
	} {
		p, err := newPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got, found := maskAll(p, c.in)
		if got != c.want || found != (c.in != c.want) {
			t.Errorf("%s: %q → %q (%v), want %q", c.pattern, c.in, got, found, c.want)
		}
	}
}

func TestMaskingReachesMessagesAttributesAndNestedJSON(t *testing.T) {
	p := policy(t, func(c *Config) { c.PII.MaskPatterns = []string{"email", "card", "bearer"} })
	r := record("from a@b.example", text("password", "hunter2"), text("note", "card 4111111111111111"),
		model.Attr{Key: "token", Value: model.IntValue(7)},
		model.Attr{Key: "http", Value: model.JSONValue(`{"headers":{"Authorization":"Basic x","n":1.50},"to":["c@d.example"]}`)},
		model.Attr{Key: "plain", Value: model.JSONValue(`{"b":1,"a":2}`)})
	r.Resource.Attrs = model.Attrs{text("secret", "s")}
	kept, _ := p.AdmitLogs([]model.LogRecord{r})
	got, err := json.Marshal(kept[0].Attrs)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"password":"***","note":"card ***","token":"***","http":{"headers":{"Authorization":"***","n":1.50},"to":["***"]},"plain":{"b":1,"a":2}}`
	if string(got) != want || kept[0].Message != "from ***" || kept[0].Resource.Attrs[0].Value.Str() != maskText {
		t.Errorf("message %q\n got %s\nwant %s", kept[0].Message, got, want)
	}
	if n := testutil.ToFloat64(p.changed.WithLabelValues("logs", "masked")); n != 6 {
		t.Errorf("masked = %v, want 6", n)
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"a@b.example", "4111 1111 1111 1111", "Bearer x", `{"password":{"a":[1]}}`, `{"\u0070assword":"x"}`, "{", "12-3"} {
		f.Add(s)
	}
	p := policy(f, func(c *Config) { c.PII.MaskPatterns = []string{"email", "card", "bearer"} })
	f.Fuzz(func(t *testing.T, s string) {
		r := record(s, text("v", s))
		if json.Valid([]byte(s)) {
			r.Attrs = append(r.Attrs, model.Attr{Key: "j", Value: model.JSONValue(s)})
		}
		kept, _ := p.AdmitLogs([]model.LogRecord{r})
		if len(kept) == 0 {
			return
		}
		if !utf8.ValidString(kept[0].Message) {
			t.Errorf("invalid UTF-8: %q", kept[0].Message)
		}
		if _, err := json.Marshal(kept[0]); err != nil {
			t.Errorf("the record is no JSON any more: %v", err)
		}
	})
}
