package secretfile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Key says where a secret is that an administrator made or was given: one of the two.
type Key struct {
	File        string `yaml:"file"`        // relative to the configuration's folder
	Environment string `yaml:"environment"` // the name of a variable
}

// leastKeyBytes is the length of the hashes and ciphers that keys are for: a shorter key would be easier to guess.
const leastKeyBytes = 32

const makeOne = "make a key with: head -c 32 /dev/urandom | base64"

// Validate says what is wrong with the place.
func (k Key) Validate() error {
	if (k.File == "") == (k.Environment == "") {
		return errors.New("needs either file or environment")
	}
	return nil
}

// Where names the place.
func (k Key) Where() string {
	if k.File != "" {
		return "file " + k.File
	}
	return "environment variable " + k.Environment
}

// Secret is the secret as it is written there, without white space around it. No error quotes any of it.
func (k Key) Secret() (Secret, error) {
	if k.File != "" {
		return Read(k.File)
	}
	value := strings.TrimSpace(os.Getenv(k.Environment))
	if value == "" {
		return Secret{}, fmt.Errorf("%s: is not set", k.Where())
	}
	return Of(value), nil
}

// Read is the key that is written there as base64. No error quotes any of it.
func (k Key) Read() ([]byte, error) {
	text := []byte(os.Getenv(k.Environment))
	if k.File != "" {
		s, err := Read(k.File)
		if err != nil {
			return nil, fmt.Errorf("%w; %s", err, makeOne)
		}
		text = s.Bytes()
	}
	key := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(key, text)
	if err != nil || n < leastKeyBytes {
		return nil, fmt.Errorf("%s: must hold base64 of at least %d bytes; %s", k.Where(), leastKeyBytes, makeOne)
	}
	return key[:n], nil
}
