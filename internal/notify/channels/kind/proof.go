package kind

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Proof shows that we made an address or a button about something, where a service does not sign what it sends.
func Proof(secret secretfile.Secret, about ...string) string {
	mac := hmac.New(sha256.New, secret.Bytes())
	mac.Write([]byte("signalbox answer\x00" + strings.Join(about, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// Proved says whether a proof is the one, in a time that does not depend on how much of it is right.
func Proved(proof string, secret secretfile.Secret, about ...string) bool {
	return hmac.Equal([]byte(proof), []byte(Proof(secret, about...)))
}
