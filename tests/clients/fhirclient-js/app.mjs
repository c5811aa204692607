// A web app on fhirclient in node. It launches, comes back, and does with its token what an address asks for.
import { createServer } from "node:http";
import smart from "fhirclient";

const told = JSON.parse(process.argv[2]);
const session = {};

const launch = (api) =>
  api.authorize({
    iss: told.base,
    clientId: told.clientId,
    clientSecret: told.clientSecret, // of an app with a secret
    clientPrivateJwk: told.clientPrivateJwk, // of an app with a key pair: with "alg" and "kid"
    scope: told.scope,
    redirectUri: `${told.app}/callback`,
  });

const withClient = (use) => async (api) => use(await api.ready());

const routes = {
  "/launch": launch,
  "/callback": withClient((client) => ({ token: client.state.tokenResponse, profile: client.getIdToken() })),
  "/patient": withClient((client) => client.request(`Patient/${client.patient.id}`, { useRefreshToken: false })),
  "/user": withClient((client) => client.user.read()),
  "/refresh": withClient(async (client) => ({ token: (await client.refresh()).tokenResponse })),
};

createServer(async (request, response) => {
  request.session = session;
  const { pathname } = new URL(request.url, told.app);
  try {
    const found = await routes[pathname](smart(request, response));
    if (!response.writableEnded) response.end(JSON.stringify(found));
  } catch (error) {
    response.statusCode = error.status ?? 500; // what the server under test said
    response.end(JSON.stringify({ error: error.message }));
  }
}).listen(new URL(told.app).port, "127.0.0.1", () => console.log("listening"));
