package client

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/platform/loopback"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// credential is what a request shows of who asks.
type credential struct {
	token, file string
	plainHTTP   bool
	none        bool // shows nothing: for what needs nobody
}

func (c *credential) flags(fs *pflag.FlagSet) {
	fs.StringVar(&c.token, "token", "", "API token to show instead of the login's; others see it in the list of processes, so that SIGNALBOX_TOKEN or --token-file is better")
	fs.StringVar(&c.file, "token-file", "", "file with the API token to show instead of the login's")
}

// Where a token comes from, for messages.
const (
	fromFlag  = "--token (or SIGNALBOX_TOKEN)"
	fromFile  = "--token-file"
	fromLogin = "the login of `signalbox login`"
)

// given is the token that the user names, and where it comes from. What was typed counts before what the environment holds.
func (c *credential) given() (token secretfile.Secret, from string, err error) {
	token, file := secretfile.Of(c.token), c.file
	typedToken, typedFile := c.token != os.Getenv("SIGNALBOX_TOKEN"), file != os.Getenv("SIGNALBOX_TOKEN_FILE")
	switch {
	case c.token == "" && file == "":
		return token, "", nil
	case c.token != "" && file != "" && typedToken == typedFile:
		return token, "", command.Usage(errors.New("--token and --token-file: give one of them"))
	case file != "" && (c.token == "" || typedFile):
		token, err = secretfile.Read(file)
		if err != nil {
			return token, fromFile, fmt.Errorf("--token-file: %w", err)
		}
		return token, fromFile, nil
	}
	return token, fromFlag, nil
}

// Anonymous asks without showing who asks.
func (c *Client) Anonymous() *Client {
	copied := *c
	copied.credential.none = true
	return &copied
}

// As asks with a token.
func (c *Client) As(token secretfile.Secret) *Client {
	copied := *c
	copied.credential = credential{token: token.Text(), plainHTTP: c.credential.plainHTTP}
	return &copied
}

// authorize shows who asks, and says by what.
func (c *Client) authorize(req *http.Request) (from string, err error) {
	if c.credential.none {
		return "", nil
	}
	token, from, err := c.credential.given()
	if err != nil {
		return from, err
	}
	if from == "" && req.URL.User == nil {
		login, err := c.Stored()
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", err
		default:
			token, from = secretfile.Of(login.Token), fromLogin
		}
	}
	if from == "" && req.URL.User == nil {
		return "", nil
	}
	if err := c.MaySendSecret(); err != nil {
		return from, err
	}
	if from == "" {
		return "the name and password in --server", nil
	}
	if strings.ContainsFunc(token.Text(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return from, command.Usage(fmt.Errorf("%s: this is no token: it has white space or other characters that none has", from))
	}
	req.Header.Set("Authorization", "Bearer "+token.Text())
	return from, nil
}

// MaySendSecret refuses to send a secret where it could be read on the way.
func (c *Client) MaySendSecret() error {
	u, err := url.Parse(c.server)
	if err != nil || u.Scheme != "https" && !loopback.Host(u.Hostname()) && !c.credential.plainHTTP {
		return command.Usage(fmt.Errorf("%s would be sent a secret in the clear: use https://, run this on the server itself, or allow it with --plain-http", c.shown()))
	}
	return nil
}

// Link is the address of a path of the server.
func (c *Client) Link(path string) string { return c.server + path }

// cure is what to do about an answer that says who asks may not: from is by what was said who asks.
func (c *Client) cure(status int, from string) string {
	if c.credential.none {
		return ""
	}
	login := "`signalbox login --server " + c.Server() + "`"
	switch {
	case status == http.StatusUnauthorized && from == "":
		return "; log in with " + login + ", or give an API token with --token-file"
	case status == http.StatusUnauthorized && from == fromLogin:
		return "; the login is over: log in again with " + login
	case status == http.StatusUnauthorized:
		return "; what " + from + " gives is not taken: give another, or leave it out and log in with " + login
	case status == http.StatusForbidden:
		return "; `signalbox whoami --server " + c.Server() + "` shows who you are there and what you may, and " + login + " logs in as somebody else"
	}
	return ""
}

// elsewhereError is a redirect to another server.
type elsewhereError struct{ to string }

func (e *elsewhereError) Error() string {
	return "sends on to " + e.to + ", which is another server: name it with --server if it is the one you mean"
}

// stay follows redirects within the server alone: neither a credential nor a question is for another.
func stay(req *http.Request, via []*http.Request) error {
	if at := via[0].URL; req.URL.Scheme != at.Scheme || req.URL.Host != at.Host {
		return &elsewhereError{to: (&url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}).String()}
	}
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}
