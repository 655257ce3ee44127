package email_test

import (
	"crypto/tls"
	"net"

	"github.com/emersion/go-smtp"
)

func tlsListener(l net.Listener, s *smtp.Server) net.Listener { return tls.NewListener(l, s.TLSConfig) }

// login is the server's side of LOGIN, which asks twice.
type login struct {
	check func(_, user, password string) error
	given []string
}

// Next implements sasl.Server.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		l.given = append(l.given, string(response))
	}
	switch len(l.given) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check("", l.given[0], l.given[1])
}
