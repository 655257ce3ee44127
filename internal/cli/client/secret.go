package client

import (
	"fmt"
	"net/url"

	"github.com/signalbox-project/signalbox/internal/platform/loopback"
)

// MaySendSecret refuses to send a secret where it could be read on the way.
func (c *Client) MaySendSecret() error {
	u, err := url.Parse(c.server)
	if err != nil || u.Scheme != "https" && !loopback.Host(u.Hostname()) {
		return fmt.Errorf("%s would send a secret in the clear: use https://, or run this on the server itself", c.shown())
	}
	return nil
}

// Link is the address of a path of the server.
func (c *Client) Link(path string) string { return c.server + path }
