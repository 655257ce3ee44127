package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// Login is that at one server, as it is kept for later commands.
type Login struct {
	Server  string    `json:"server"`
	Subject string    `json:"subject"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

const (
	loginFolder = "signalbox/logins"
	maxLogin    = 64 << 10
)

// Server is the address by which logins are kept: what means the same server is written the same.
func (c *Client) Server() string {
	u, err := url.Parse(c.server)
	if err != nil {
		return c.shown()
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	if port != "" {
		host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return (&url.URL{Scheme: u.Scheme, Host: host, Path: strings.TrimRight(u.Path, "/")}).String()
}

// file is where the login at the server is kept: a file for each, so that two logins at once do not undo each other.
func (c *Client) file() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.FromSlash(loginFolder), url.QueryEscape(c.Server())+".json"), nil
}

// Stored is the login at the server; fs.ErrNotExist for none.
func (c *Client) Stored() (Login, error) {
	path, err := c.file()
	if err != nil {
		return Login{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err) // nowhere to keep any
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Login{}, err
		}
		return Login{}, fmt.Errorf("read login: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Login{}, fmt.Errorf("%s: others can read this login (mode %04o): end it with `signalbox logout --server %s`, and log in again", path, info.Mode().Perm(), c.Server())
	}
	return c.read(path)
}

func (c *Client) read(path string) (Login, error) {
	text, err := atomicfile.ReadAtMost(path, maxLogin)
	if err != nil {
		return Login{}, fmt.Errorf("read login: %w", err)
	}
	var l Login
	if err := json.Unmarshal(text, &l); err != nil || l.Token == "" || l.Server != c.Server() {
		return Login{}, fmt.Errorf("%s is not a login at %s: delete it, and log in again with `signalbox login --server %s`", path, c.Server(), c.Server())
	}
	return l, nil
}

// Keep keeps a login for later commands, where its user alone can read it.
func (c *Client) Keep(l Login) error {
	path, err := c.file()
	if err != nil {
		return fmt.Errorf("keep login: %w", err)
	}
	l.Server = c.Server()
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("keep login: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep login: %w", err)
	}
	if err := atomicfile.WriteBytes(path, 0o600, append(text, '\n')); err != nil {
		return fmt.Errorf("keep login: %w", err)
	}
	return nil
}

// Forget forgets the login at the server and answers what it was; fs.ErrNotExist for none. One that cannot be used is gone, too.
func (c *Client) Forget() (Login, error) {
	path, err := c.file()
	if err != nil {
		return Login{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	was, err := c.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return was, err
	}
	if rm := os.Remove(path); rm != nil {
		return was, fmt.Errorf("forget login: %w", rm)
	}
	return was, err
}
