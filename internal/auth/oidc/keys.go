package oidc

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysFresh  = time.Hour      // after which keys are fetched again, so that one that was withdrawn stops counting
	keysStale  = 24 * time.Hour // until which they count while the provider can't be reached
	keysPause  = 10 * time.Second
	minRSABits = 2048
)

// keySet holds the keys of one provider. It implements oidc.KeySet.
type keySet struct {
	url  string
	algs []jose.SignatureAlgorithm
	keys remembered[[]jose.JSONWebKey]
}

func newKeySet(client *http.Client, url string, algorithms []string, now func() time.Time) *keySet {
	s := &keySet{url: url, keys: remembered[[]jose.JSONWebKey]{now: now, fresh: keysFresh, stale: keysStale, pause: keysPause}}
	for _, a := range algorithms {
		s.algs = append(s.algs, jose.SignatureAlgorithm(a))
	}
	s.keys.fetch = func(ctx context.Context) ([]jose.JSONWebKey, error) {
		var set jose.JSONWebKeySet
		body, err := get(ctx, client, url)
		if err == nil {
			err = json.Unmarshal(body, &set)
		}
		if err == nil && len(set.Keys) == 0 {
			err = errors.New("there are none")
		}
		return set.Keys, err
	}
	return s
}

// errNoKeys is a provider whose keys can't be had.
var errNoKeys = errors.New("the provider's keys cannot be fetched")

// VerifySignature implements oidc.KeySet. A signature by none of the keys has them fetched again: a new one may have come.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSigned(token, s.algs)
	if err != nil {
		return nil, err
	}
	for range 2 {
		keys, err := s.keys.get(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoKeys, err)
		}
		if payload, ok := check(jws, keys); ok {
			return payload, nil
		}
		s.keys.renew(ctx)
	}
	return nil, errors.New("no key of the provider made this signature")
}

func check(jws *jose.JSONWebSignature, keys []jose.JSONWebKey) ([]byte, bool) {
	header := jws.Signatures[0].Header // there is one: the library's verifier looks before
	for _, k := range keys {
		if header.KeyID != "" && k.KeyID != "" && header.KeyID != k.KeyID || k.Algorithm != "" && k.Algorithm != header.Algorithm {
			continue
		}
		if rsaKey, ok := k.Key.(*rsa.PublicKey); k.Use == "enc" || !k.IsPublic() || ok && rsaKey.N.BitLen() < minRSABits {
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// get asks for a document of the provider.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return body, err
}
