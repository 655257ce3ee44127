package kind_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
)

func TestWhereNothingMayGoNothingGoes(t *testing.T) {
	c, err := kind.Deps{Outgoing: outgoing.New(outgoing.Config{})}.Client("x", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"http://169.254.169.254/T0K3N", "http://metadata.google.internal/T0K3N", "://", "/path"} {
		_, err := c.Do(t.Context(), notify.Message{}, kind.Request{Method: "POST", URL: to})
		if !notify.IsRefused(err) || strings.Contains(err.Error(), "T0K3N") {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// The end of what is shown must not be the beginning of a secret.
func TestASecretIsNotShownInPart(t *testing.T) {
	const secret = "SECRETSECRETSECRETSECRET"
	for before := 260; before < 310; before++ {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(strings.Repeat("x", before) + secret))
		}))
		c, err := kind.Deps{}.Client("x", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(context.WithoutCancel(t.Context()), notify.Message{}, kind.Request{Method: "POST", URL: s.URL, Secrets: []string{secret}})
		if strings.Contains(err.Error(), "SEC") {
			t.Errorf("%d: %v", before, err)
		}
		if got := string(kind.AnswerOf(err)); !strings.HasSuffix(got, secret) {
			t.Errorf("the whole answer is %q", got)
		}
		s.Close()
	}
}
