package statuspage

import (
	"fmt"
	"net"
)

// Config is the section status.
type Config struct {
	// ListenAddress serves status pages alone, so that they can be reached without the rest; empty opens none.
	ListenAddress string `yaml:"listen_address"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if c.ListenAddress != "" {
		if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
			errs = append(errs, fmt.Errorf("listen_address: must be an address and a port such as :4301, got %q", c.ListenAddress))
		}
	}
	return errs
}
