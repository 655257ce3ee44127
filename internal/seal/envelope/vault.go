package envelope

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
)

// vault is a key of a transit secrets engine (https://developer.hashicorp.com/vault/api-docs/secret/transit), which OpenBao
// has too.
type vault struct {
	id     string
	key    string
	base   *url.URL
	client outcall.Client
}

func newVault(cfg Vault, guard *outgoing.Guard) (wrapper, error) {
	base, err := cfg.base()
	if err != nil {
		return nil, fmt.Errorf("vault.address: %w", err)
	}
	client, err := guard.Client(cfg.HTTP, "vault")
	if err != nil {
		return nil, fmt.Errorf("vault.http_config: %w", err)
	}
	// Without the address: a Vault that moves has the same keys.
	return &vault{id: "vault:" + cfg.mount() + "/" + cfg.Key, key: cfg.Key, base: base, client: outcall.Client{
		Base: base, Transport: client.Transport, Attempts: 3, Timeout: 10 * time.Second, Backoff: time.Second,
	}}, nil
}

// ID implements wrapper.
func (v *vault) ID() string { return v.id }

// Wrap implements wrapper.
func (v *vault) Wrap(key []byte) ([]byte, error) {
	text, err := v.ask("encrypt", map[string]string{"plaintext": base64.StdEncoding.EncodeToString(key)}, "ciphertext")
	if err != nil {
		return nil, err
	}
	if v.Generation([]byte(text)) == "" {
		return nil, errors.New("vault answered no ciphertext (vault:v1:…); is mount that of a transit engine?")
	}
	return []byte(text), nil
}

// Unwrap implements wrapper.
func (v *vault) Unwrap(wrapped []byte) ([]byte, error) {
	text, err := v.ask("decrypt", map[string]string{"ciphertext": string(wrapped)}, "plaintext")
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("vault answered a plaintext that is not base64") // the error would quote some of it
	}
	return key, nil
}

// Generation implements wrapper: the version of the key in Vault.
func (*vault) Generation(wrapped []byte) string {
	parts := strings.SplitN(string(wrapped), ":", 3)
	if len(parts) != 3 || parts[0] != "vault" {
		return ""
	}
	return parts[1]
}

// ask calls the engine. What it answered to a request that worked is never part of an error.
func (v *vault) ask(what string, body map[string]string, field string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	answer, err := v.client.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: v.base.JoinPath(what, v.key), Body: text, Idempotent: true,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Vault-Request": {"true"}},
	})
	var status *outcall.StatusError
	if errors.As(err, &status) {
		return "", fmt.Errorf("%s with %s: vault at %s refused: %w; %s", what, v.id, v.base.Host, status, cureOf(status.Status))
	}
	if err != nil {
		return "", fmt.Errorf("%s with %s: vault at %s does not answer: %w; start again when it does", what, v.id, v.base.Host, err)
	}
	var out struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(answer.Body, &out); err != nil {
		return "", fmt.Errorf("%s with %s: the answer of %s is not vault's", what, v.id, v.base.Host)
	}
	value, _ := out.Data[field].(string)
	if value == "" {
		return "", fmt.Errorf("%s with %s: the answer of %s has no %s", what, v.id, v.base.Host, field)
	}
	return value, nil
}

func cureOf(status int) string {
	switch status {
	case http.StatusForbidden:
		return "give the token of http_config.authorization the capability update on encrypt and decrypt of this key, or renew it"
	case http.StatusNotFound:
		return "check mount and key: `vault list transit/keys`"
	case http.StatusServiceUnavailable:
		return "vault is sealed or not ready: unseal it, and start again"
	}
	return "check that the key exists and that its min_decryption_version is not above the version that sealed"
}
