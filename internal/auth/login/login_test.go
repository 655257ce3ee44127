package login

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestWhatAPersonIsTold(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7:636: password hunter2")
	for _, c := range []struct {
		err    error
		status int
		tells  string
	}{
		{&Unavailable{Provider: "corp", Err: secret, Cure: "see 10.0.0.7"}, 503, `"corp"`},
		{fmt.Errorf("x: %w", &Refused{Provider: "corp", Why: "your account is disabled", Cure: "ask them"}), 403, "your account is disabled"},
		{fmt.Errorf("no such user ann: %w", ErrUnauthenticated), 401, "not right"},
		{ErrAgain, 401, "Not logged in"},
		{fmt.Errorf("token of ann: %w", ErrExpired), 401, "expired"},
		{ErrLink, 401, "link"},
		{ErrTokenInURL, 400, "URL"},
		{ErrForbidden, 403, "may not"},
		{&Throttled{}, 429, "Too many"},
		{secret, 500, "failed"},
	} {
		said := Says(c.err)
		if said.Status != c.status || !strings.Contains(said.Message, c.tells) || said.Cure == "" {
			t.Errorf("%v: %+v", c.err, said)
		}
		for _, hidden := range []string{"10.0.0.7", "hunter2", "ann"} {
			if strings.Contains(fmt.Sprint(said), hidden) {
				t.Errorf("%v tells %s: %+v", c.err, hidden, said)
			}
		}
	}
	if text := (&Unavailable{Provider: "corp", Err: secret, Cure: "look"}).Error(); !strings.Contains(text, "636") || !strings.HasSuffix(text, "; look") {
		t.Error(text) // the log has it all
	}
}
