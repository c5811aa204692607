// node oidc-provider as its documentation sets it up: opaque tokens, introspection by client_secret_basic. Its own adapter
// for memory holds 1,000 entries, so that an adapter over one Map stands in for it where more are needed.
// Services ask for themselves with a secret, signers with an ES384 assertion; apps refresh and revoke with a secret.
// `node peer.mjs PORT APPS TOKENS LAUNCHES CODES DEAD REVOCABLE ISSUED.json person|client KEY.json` keeps TOKENS live
// tokens, LAUNCHES refresh tokens, CODES codes, DEAD ended and DEAD changed tokens and REVOCABLE more, then listens. With BENCH_REDIS_URL it keeps them in Redis.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, apps, tokens, launches, codes, dead, revocable] = process.argv.slice(2, 9).map(Number);
const [file, whose, key] = process.argv.slice(9);
const TOGETHER = 64;
const secret = 'a-secret-that-was-drawn-at-random';
const scope = 'patient/*.rs';
const signing = (alg, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid: alg, use: 'sig', alg,
});
const jwks = JSON.parse(readFileSync(key, 'utf8')).public;

const client = (name, grants) => ({
  client_id: name,
  client_secret: secret,
  grant_types: grants,
  redirect_uris: [],
  response_types: [],
});
const services = Array.from({ length: apps }, (_, number) => client(`service-${number}`, ['client_credentials']));
const signers = Array.from({ length: apps }, (_, number) => ({
  ...client(`signer-${number}`, ['client_credentials']),
  client_secret: undefined,
  jwks,
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES384',
}));
const asserting = { ...signers[0], client_id: 'asserting-server', grant_types: [] };
const named = Array.from({ length: apps }, (_, number) => ({
  ...client(`app-${number}`, ['authorization_code', 'refresh_token', 'client_credentials']),
  redirect_uris: ['https://app.example.org/callback'],
  response_types: ['code'],
}));

const kept = new Map();
const ofGrant = new Map();
class MapAdapter {
  constructor(model) { this.model = model; }

  name(id) { return `${this.model}:${id}`; }

  async upsert(id, payload) {
    kept.set(this.name(id), payload);
    if (payload.grantId) ofGrant.set(payload.grantId, [...ofGrant.get(payload.grantId) ?? [], this.name(id)].slice(-4));
  }

  async find(id) { return kept.get(this.name(id)); }

  async consume(id) { kept.get(this.name(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { kept.delete(this.name(id)); }

  async revokeByGrantId(grantId) {
    for (const name of ofGrant.get(grantId) ?? []) kept.delete(name);
    ofGrant.delete(grantId);
  }
}

const adapter = process.env.BENCH_REDIS_URL ? (await import('./redis_adapter.mjs')).RedisAdapter : MapAdapter;
const needsOwn = process.env.BENCH_REDIS_URL || launches || codes || dead || revocable;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client('resource-server', []), asserting, ...named, ...services, ...signers],
  jwks: { keys: [signing('ES256', 'ec', { namedCurve: 'P-256' }), signing('RS256', 'rsa', { modulusLength: 2048 })] },
  enabledJWA: { clientAuthSigningAlgValues: ['ES384'] },
  ...(needsOwn ? { adapter } : {}),
  scopes: [scope, 'system/*.rs', 'offline_access'],
  findAccount: async (ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
    // who names this FHIR server gets a signed token, which oidc-provider keeps nowhere; nobody else does
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'system/*.rs', audience: 'fhir', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  ttl: { AccessToken: 3600, AuthorizationCode: 3600, RefreshToken: 86400, ClientCredentials: whose === 'client' ? 3600 : 300, Grant: 86400 },
});

// What an app holds after a person consented: a token that belongs to a grant, which introspection reads as well.
async function granted(app, accountId, asked) {
  const grant = new provider.Grant({ accountId, clientId: app.clientId });
  grant.addOIDCScope(asked);
  return { accountId, client: app, grantId: await grant.save(), gty: 'authorization_code', scope: asked };
}

async function ofPerson(app, accountId) {
  return new provider.AccessToken(await granted(app, accountId, scope)).save();
}

async function refreshable(app, accountId) {
  return new provider.RefreshToken(await granted(app, accountId, `offline_access ${scope}`)).save();
}

// A proof key and a redirect URI as in bench/exchange.py.
async function code(app, accountId) {
  return new provider.AuthorizationCode({
    ...(await granted(app, accountId, `offline_access ${scope}`)),
    redirectUri: 'https://app.example.org/callback',
    codeChallenge: 'srPl9FdvyKJNhqOfpI1xknQzvd9WTQojDoIan86nxWU',
    codeChallengeMethod: 'S256',
  }).save();
}

// One that has ended, one whose last letter but one is another.
async function ended(app, accountId) {
  const token = new provider.AccessToken(await granted(app, accountId, scope));
  const value = await token.save();
  await token.destroy();
  return value;
}

async function changed(app, accountId) {
  const value = await ofPerson(app, accountId);
  return `${value.slice(0, -2)}${value.at(-2) === 'A' ? 'B' : 'A'}${value.at(-1)}`;
}

async function ofClient(app) {
  return new provider.ClientCredentials({ client: app, scope }).save();
}

async function many(count, make) {
  const made = [];
  const one = async (number) => {
    const app = await provider.Client.find(`app-${number % apps}`);
    made[number] = [await make(app, `person-${number}`), app.clientId];
  };
  for (let from = 0; from < count; from += TOGETHER) {
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count - from) }, (_, index) => one(from + index)));
  }
  return made;
}

const issued = {
  tokens: await many(tokens, whose === 'person' ? ofPerson : ofClient),
  refresh: await many(launches, refreshable),
  codes: await many(codes, code),
  dead: { inactive: await many(dead, ended), tampered: await many(dead, changed) },
  revocable: await many(revocable, ofPerson),
};
writeFileSync(file, JSON.stringify(issued));
provider.listen(port, '127.0.0.1');
