// node oidc-provider as its documentation sets it up: in-memory adapter, opaque tokens, introspection by client_secret_basic.
// Services ask for themselves with a secret, signers with an ES384 assertion.
// `node peer.mjs PORT APPS TOKENS ISSUED.json person|client KEY.json` keeps TOKENS live tokens, then listens.
import { readFileSync, writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, apps, tokens] = process.argv.slice(2, 5).map(Number);
const [file, whose, key] = process.argv.slice(5);
const secret = 'a-secret-that-was-drawn-at-random';
const scope = 'patient/*.rs';
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
const named = Array.from({ length: apps }, (_, number) => client(`app-${number}`, ['client_credentials']));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client('resource-server', []), ...named, ...services, ...signers],
  enabledJWA: { clientAuthSigningAlgValues: ['ES384'] },
  scopes: [scope, 'system/*.rs'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { AccessToken: 3600, ClientCredentials: whose === 'client' ? 3600 : 300, Grant: 3600 },
});

// What an app holds after a person consented: a token that belongs to a grant, which introspection reads as well.
async function ofPerson(app, accountId) {
  const grant = new provider.Grant({ accountId, clientId: app.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  return new provider.AccessToken({ accountId, client: app, grantId, gty: 'authorization_code', scope }).save();
}

async function ofClient(app) {
  return new provider.ClientCredentials({ client: app, scope }).save();
}

const issued = [];
for (let number = 0; number < tokens; number += 1) {
  const app = await provider.Client.find(`app-${number % apps}`);
  const token = whose === 'person' ? await ofPerson(app, `person-${number}`) : await ofClient(app);
  issued.push([token, app.clientId]);
}
writeFileSync(file, JSON.stringify(issued));
provider.listen(port, '127.0.0.1');
