package signature_test

import (
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/platform/signature"
)

// The value was made with: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret
func TestTheSignatureIsThatOfOpenSSL(t *testing.T) {
	const want = "sha256=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940"
	if got := signature.Sign([]byte("s3cret"), "1700000000", []byte(`{"a":1}`)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheTimeIsBoundToTheBody(t *testing.T) {
	if a, b := signature.Sign([]byte("s"), "1", []byte("2.3")), signature.Sign([]byte("s"), "12", []byte(".3")); a == b || !strings.HasPrefix(a, "sha256=") {
		t.Error("the time is not bound to the body")
	}
}
