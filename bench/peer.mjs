// node oidc-provider as its documentation sets it up: in-memory adapter, opaque tokens, introspection by client_secret_basic.
import { Provider } from 'oidc-provider';

const [port, apps] = process.argv.slice(2).map(Number);
const secret = 'a-secret-that-was-drawn-at-random';

const app = (number) => ({
  client_id: `app-${number}`,
  client_secret: secret,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
});
const resourceServer = {
  client_id: 'resource-server',
  client_secret: secret,
  grant_types: [],
  redirect_uris: [],
  response_types: [],
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [resourceServer, ...Array.from({ length: apps }, (_, number) => app(number))],
  scopes: ['patient/*.rs'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { ClientCredentials: 3600 },
});
provider.listen(port, '127.0.0.1');
