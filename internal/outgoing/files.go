package outgoing

import promconfig "github.com/prometheus/common/config"

// Files are the paths in a client's configuration, which may be nil.
func Files(c *promconfig.HTTPClientConfig) []*string {
	if c == nil {
		return nil
	}
	out := []*string{&c.BearerTokenFile, &c.TLSConfig.CAFile, &c.TLSConfig.CertFile, &c.TLSConfig.KeyFile}
	if a := c.Authorization; a != nil {
		out = append(out, &a.CredentialsFile)
	}
	if b := c.BasicAuth; b != nil {
		out = append(out, &b.UsernameFile, &b.PasswordFile)
	}
	if o := c.OAuth2; o != nil {
		out = append(out, &o.ClientSecretFile, &o.ClientCertificateKeyFile, &o.TLSConfig.CAFile, &o.TLSConfig.CertFile, &o.TLSConfig.KeyFile)
	}
	if h := c.HTTPHeaders; h != nil {
		for _, header := range h.Headers {
			for i := range header.Files {
				out = append(out, &header.Files[i])
			}
		}
	}
	return out
}
