package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	commoncfg "github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/loopback"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const (
	timeout     = 10 * time.Second // of one question to a provider
	maxAnswer   = 1 << 20
	foundFresh  = time.Hour // after which the provider's endpoints are looked up again
	foundPause  = 5 * time.Second
	shownAnswer = 300
)

// Provider is one OpenID Connect provider. Safe for concurrent use.
type Provider struct {
	cfg   Config
	deps  Deps
	rules []rule // of machines
	found remembered[*known]
	again singleflight.Group // of refreshes: a refresh token is good once
}

// known is what discovery found.
type known struct {
	provider *oidc.Provider
	endpoint oauth2.Endpoint
	keys     *keySet
	client   *http.Client
	// endSession is where a browser is sent to log out; "" if the provider has no such place.
	endSession string
	// namesItself says that the provider names itself in answers to browsers (RFC 9207).
	namesItself bool
}

func newProvider(cfg Config, deps Deps) *Provider {
	p := &Provider{cfg: cfg.WithDefaults(), deps: deps}
	for _, r := range p.cfg.Bearer.Rules {
		p.rules = append(p.rules, ruleOf(r))
	}
	p.found.now, p.found.fresh, p.found.stale, p.found.pause = deps.Now, foundFresh, math.MaxInt64, foundPause
	var keys *keySet // kept over discoveries; one at a time fetches
	p.found.fetch = func(ctx context.Context) (*known, error) {
		k, err := p.discover(ctx)
		if err != nil {
			deps.Log.Warn("an OpenID Connect provider cannot be asked", "provider", p.cfg.Name, "err", err)
			return nil, err
		}
		if keys != nil && keys.url == k.keys.url {
			k.keys = keys
		}
		keys = k.keys
		return k, nil
	}
	return p
}

// find is the provider as it describes itself. It is asked at first use, again after a while, and again after a failure,
// though not for every login while it is down. What was known stays while it can't be asked.
func (p *Provider) find(ctx context.Context) (*known, error) { return p.found.get(ctx) }

// described is what a provider says of itself and the library doesn't read.
type described struct {
	JWKSURL     string   `json:"jwks_uri"`
	EndSession  string   `json:"end_session_endpoint"`
	NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
}

func (p *Provider) discover(ctx context.Context) (*known, error) {
	client, err := p.newClient()
	if err != nil {
		return nil, p.unavailable(err, "see that the files of tls_config can be read")
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, client), timeout)
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	var other *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &other):
		return nil, p.unavailable(err, "write issuer exactly as the provider does, to the last slash")
	case err != nil:
		return nil, p.unavailable(shorten(err), "see that the issuer's /.well-known/openid-configuration answers from here, and that its certificate is trusted (tls_config)")
	}
	var d described
	if err := found.Claims(&d); err != nil {
		return nil, p.unavailable(err, "its description is not one of OpenID Connect")
	}
	endpoint := found.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(d.AuthMethods) > 0 && !slices.Contains(d.AuthMethods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	k := &known{provider: found, endpoint: endpoint, client: client, endSession: d.EndSession, namesItself: d.NamesItself}
	if err := p.trust(d.JWKSURL, endpoint.TokenURL, endpoint.AuthURL, found.UserInfoEndpoint(), d.EndSession); err != nil {
		return nil, p.unavailable(err, "")
	}
	if d.JWKSURL == "" || p.cfg.ClientID != "" && (endpoint.AuthURL == "" || endpoint.TokenURL == "") {
		return nil, p.unavailable(errors.New("its description lacks an endpoint"), "see that issuer is an OpenID Connect provider")
	}
	k.keys = newKeySet(client, d.JWKSURL, p.cfg.Algorithms, p.deps.Now)
	return k, nil
}

// trust refuses endpoints to which secrets would go unprotected.
func (p *Provider) trust(endpoints ...string) error {
	issuer, _ := url.Parse(p.cfg.Issuer)
	for _, e := range endpoints {
		u, err := url.Parse(e)
		if e == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && issuer.Scheme == "http" && loopback.Host(u.Hostname())) {
			continue
		}
		return fmt.Errorf("it describes an endpoint that is no https:// address: %.100q", e)
	}
	return nil
}

// newClient makes a client that follows nothing, waits for nobody and reads no more than it should.
func (p *Provider) newClient() (*http.Client, error) {
	cfg := commoncfg.HTTPClientConfig{TLSConfig: p.cfg.TLS, EnableHTTP2: true}
	cfg.ProxyFromEnvironment = true
	client, err := p.deps.Outgoing.Client(&cfg, "oidc-"+p.cfg.Name)
	if err != nil {
		return nil, err
	}
	client.Timeout = timeout
	client.Transport = &bounded{next: client.Transport, tokenFile: p.cfg.Bearer.DiscoveryTokenFile}
	return client, nil
}

// bounded cuts answers off, and shows the configured token where documents are fetched.
type bounded struct {
	next      http.RoundTripper
	tokenFile string
}

// RoundTrip implements http.RoundTripper.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.tokenFile != "" && r.Method == http.MethodGet && r.Header.Get("Authorization") == "" {
		token, err := secretfile.Read(b.tokenFile)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token.Text())
	}
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

func (p *Provider) unavailable(err error, cure string) error {
	return &login.Unavailable{Provider: p.cfg.Name, Err: err, Cure: cure}
}

// oauth is the library's view of our registration. The secret is read each time.
func (p *Provider) oauth(k *known) (*oauth2.Config, error) {
	secret, err := p.secret()
	if err != nil {
		return nil, p.unavailable(err, "see that client_secret_file or client_secret_env is right")
	}
	endpoint := k.endpoint
	if secret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams // who has no secret says only its name
	}
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: secret, Endpoint: endpoint, RedirectURL: p.redirectURL(), Scopes: p.cfg.Scopes}, nil
}

func (p *Provider) secret() (string, error) {
	switch {
	case p.cfg.ClientSecretFile != "":
		s, err := secretfile.Read(p.cfg.ClientSecretFile)
		return s.Text(), err
	case p.cfg.ClientSecretEnv != "":
		if s := os.Getenv(p.cfg.ClientSecretEnv); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("the environment variable %s is empty", p.cfg.ClientSecretEnv)
	}
	return "", nil
}

// refusedBy is what a token endpoint's refusal means. Its body stays untold: it may hold what should not be logged.
func (p *Provider) refusedBy(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		var network *net.OpError
		if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) {
			return p.unavailable(err, "see that the provider's token endpoint answers from here")
		}
		return p.unavailable(errors.New("its token endpoint answers what is no token"), "see the provider's log")
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	switch answer.ErrorCode {
	case "invalid_grant", "access_denied", "authorization_pending", "expired_token":
		return fmt.Errorf("%w: the provider says %s", login.ErrUnauthenticated, answer.ErrorCode)
	case "invalid_client", "unauthorized_client":
		return p.unavailable(fmt.Errorf("its token endpoint answers %d, %s", status, answer.ErrorCode), "see that client_id and its secret are right, and that this client may use the authorization code flow")
	}
	return p.unavailable(fmt.Errorf("its token endpoint answers %d, %.40q", status, answer.ErrorCode), "see the provider's log")
}

// shorten keeps what a provider answers out of the log but for its beginning.
func shorten(err error) error {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "?")), " ")
	if len(text) > shownAnswer {
		text = strings.ToValidUTF8(text[:shownAnswer], "") + "…"
	}
	return errors.New(text)
}

func (p *Provider) redirectURL() string {
	return p.deps.External.JoinPath("auth", "oidc", p.cfg.Name, "callback").String()
}
