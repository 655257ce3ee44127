// Package signature signs the bodies of requests that go to systems of somebody's own.
//
// In: a secret, a time and a body. Out: what stands in the header. Invariant: time and body are signed together, so that neither
// can be changed, nor the request sent again later. Start reading at Sign.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Headers of a signed request. The signature is "sha256=" and the hexadecimal HMAC-SHA256 of the
// timestamp (Unix seconds), a dot and the body.
const (
	Header    = "X-Signalbox-Signature-256"
	Timestamp = "X-Signalbox-Timestamp"
	Delivery  = "X-Signalbox-Delivery" // the same for each try of one message
)

// Sign is the signature of a body.
func Sign(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
