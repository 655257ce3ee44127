// A real OpenID Connect provider for the tests of internal/auth/oidc.
//
// provider.js <port, 0 for a free one> <Signalbox's address>: prints its issuer, then serves until it is killed. Anybody logs in by their
// name, with any password. PUT /test/accounts/NAME sets what the provider says of somebody (null: they are gone).
import http from 'node:http';
import Provider from 'oidc-provider';

const [port, signalbox] = process.argv.slice(2);
const server = http.createServer();
await new Promise((listening) => { server.listen(Number(port), '127.0.0.1', listening); });
const issuer = `http://127.0.0.1:${server.address().port}`;
const accounts = new Map();

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'signalbox', client_secret: 'a-secret-of-the-client', grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['main', 'other'].map((name) => `${signalbox}/auth/oidc/${name}/callback`),
      post_logout_redirect_uris: [`${signalbox}/`],
      backchannel_logout_uri: `${signalbox}/auth/oidc/main/backchannel-logout`, backchannel_logout_session_required: true,
    },
    { client_id: 'public', token_endpoint_auth_method: 'none', redirect_uris: [`${signalbox}/auth/oidc/public/callback`] },
    { client_id: 'machine', client_secret: 'a-secret-of-the-machine', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  ],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
  conformIdTokenClaims: process.env.CLAIMS_BY_USERINFO === 'yes',
  features: {
    devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true, defaultResource: () => undefined, useGrantedResource: () => false,
      getResourceServerInfo: (_, resource) => ({ scope: '', audience: resource, accessTokenFormat: 'jwt' }),
    },
  },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // theirs refuses loopback addresses, where we are
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: (_, id) => {
    const said = accounts.has(id) ? accounts.get(id) : { preferred_username: id, name: id, email: `${id}@example.org`, email_verified: true, groups: ['sre'] };
    return said ? { accountId: id, claims: () => ({ sub: id, ...said }) } : undefined;
  },
});

for (const event of ['server_error', 'backchannel.error']) {
  provider.on(event, (...args) => console.error(event, ...args.filter((a) => a instanceof Error)));
}

const serve = provider.callback();
server.on('request', (req, res) => {
  const account = /^\/test\/accounts\/(\w+)$/.exec(req.url);
  if (req.method !== 'PUT' || !account) return serve(req, res);
  let body = '';
  req.on('data', (part) => { body += part; }).on('end', () => {
    accounts.set(account[1], JSON.parse(body));
    res.end();
  });
});
console.log(issuer);
