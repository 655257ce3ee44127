package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/signature"
)

// verify says whether a request comes from who knows the secret, and came just now.
func verify(secret []byte, header http.Header, body []byte, now time.Time) error {
	stamp := header.Get("X-Signalbox-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("the request is not of now")
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	want := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(header.Get("X-Signalbox-Signature-256"))) {
		return errors.New("the signature is another one")
	}
	return nil
}

func TestTheExampleOfTheDocumentationVerifies(t *testing.T) {
	own, err := os.ReadFile("verify_test.go")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../../../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(docs), "```go\n")
	example, _, found := strings.Cut(rest, "```")
	if !found || !strings.Contains(string(own), example) {
		t.Error("docs/channels.md shows another function than verify, which is tested here")
	}
	body := []byte(`{}`)
	at := strconv.FormatInt(now().Unix(), 10)
	good := http.Header{signature.Timestamp: {at}, signature.Header: {signature.Sign([]byte(secret), at, body)}}
	for name, err := range map[string]error{
		"another secret": verify([]byte("other"), good, body, now()), "another body": verify([]byte(secret), good, []byte(`{} `), now()),
		"later": verify([]byte(secret), good, body, now().Add(time.Hour)), "no header": verify([]byte(secret), nil, body, now()),
	} {
		if err == nil {
			t.Errorf("%s: passes", name)
		}
	}
	if err := verify([]byte(secret), good, body, now()); err != nil {
		t.Error(err)
	}
}
