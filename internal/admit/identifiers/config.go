package identifiers

import (
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is the section `privacy`.
type Config struct {
	// Hash names what identifies people: labels of metrics, attributes of logs, spans and resources, fields of structured
	// bodies. user.id is user_id and userId too; a longer name matches that ends with it as a word (client.user.id).
	Hash []string `yaml:"hash"`
	// Keys are HMAC keys, base64 of at least 32 random bytes each. The first hashes what arrives; the others are former ones,
	// by which what they hashed is still found.
	Keys []secretfile.Key `yaml:"keys"`
}

// Validate names every setting that cannot work; keys are read by New.
func (c Config) Validate() []error {
	var errs []error
	for i, name := range c.Hash {
		switch {
		case flat(name) == "":
			errs = append(errs, fmt.Errorf("hash[%d]: %q is no name, use that of a label or an attribute", i, name))
		case kept(name):
			errs = append(errs, fmt.Errorf("hash[%d]: %s cannot be hashed, it says which series it is; name a label that holds an identifier", i, name))
		}
	}
	if len(c.Hash) > 0 && len(c.Keys) == 0 {
		errs = append(errs, errors.New("keys: a key is needed to hash; make one with: head -c 32 /dev/urandom | base64 > identifiers.key, and name it: keys: [{file: identifiers.key}]"))
	}
	for i, k := range c.Keys {
		if err := k.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("keys[%d]: %w", i, err))
		}
	}
	return errs
}

// Files are the paths that are relative to the configuration's folder.
func (c *Config) Files() []*string {
	var out []*string
	for i := range c.Keys {
		out = append(out, &c.Keys[i].File)
	}
	return out
}
