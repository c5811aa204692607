// An app on openid-client, from discovery to its end.
// Its person's browser is the program that reads `visit`, goes there, and writes the address where the app is called back.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import * as openid from "openid-client";

globalThis.crypto ??= webcrypto; // before node 20 neither is global, and openid-client wants them there
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const told = JSON.parse(process.argv[2]);
const execute = [openid.allowInsecureRequests]; // the tests have no https
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const CURVES = { ES384: { name: "ECDSA", namedCurve: "P-384" }, RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" } };

async function proof({ clientSecret, clientPrivateJwk }) {
  if (clientSecret) return openid.ClientSecretBasic(clientSecret);
  if (!clientPrivateJwk) return openid.None();
  const { alg, kid } = clientPrivateJwk;
  const key = await crypto.subtle.importKey("jwk", clientPrivateJwk, CURVES[alg], false, ["sign"]);
  return openid.PrivateKeyJwt({ key, kid });
}

async function visit(address) {
  console.log(JSON.stringify({ visit: address.href }));
  return new URL((await lines.next()).value);
}

// What a request was answered with, or what the server's refusal was.
const answer = (asked) => asked.catch((error) => ({ status: error.status, error: error.error, about: error.message }));
const patient = async (token) => {
  const found = await openid.fetchProtectedResource(config, token, new URL(`${told.base}/Patient/amy`), "GET");
  return found.json();
};

// "oidc" reads openid-configuration, "oauth2" the authorization server's metadata of RFC 8414
const discovered = (clientId, proof, algorithm = "oidc") =>
  openid.discovery(new URL(told.issuer), clientId, undefined, proof, { execute, algorithm });
const config = await discovered(told.clientId, await proof(told));
openid.enableNonRepudiationChecks(config); // verifies the signature of the id_token too
const [serverId, serverSecret] = told.resourceServer;
const fhirServer = await discovered(serverId, openid.ClientSecretBasic(serverSecret), "oauth2");

async function launched() {
  const verifier = openid.randomPKCECodeVerifier();
  const drawn = { expectedState: openid.randomState(), expectedNonce: openid.randomNonce() };
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: `${told.app}/callback`,
    scope: told.scope,
    aud: told.base, // SMART: the FHIR server that the token is for
    state: drawn.expectedState,
    nonce: drawn.expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const checks = { ...drawn, pkceCodeVerifier: verifier, idTokenExpected: true };
  return openid.authorizationCodeGrant(config, await visit(address), checks);
}

async function person() {
  const first = await launched();
  const found = { first, claims: first.claims(), patient: await patient(first.access_token) };
  found.userinfo = await openid.fetchUserInfo(config, first.access_token, first.claims().sub);
  found.second = await openid.refreshTokenGrant(config, first.refresh_token);
  found.alive = await openid.tokenIntrospection(fhirServer, found.second.access_token);
  await openid.tokenRevocation(config, found.second.refresh_token);
  return { ...found, refused: await answer(openid.refreshTokenGrant(config, found.second.refresh_token)) };
}

async function backend() {
  const first = await openid.clientCredentialsGrant(config, { scope: told.scope });
  const found = { first, patient: await patient(first.access_token) };
  found.alive = await openid.tokenIntrospection(fhirServer, first.access_token);
  await openid.tokenRevocation(config, first.access_token);
  return found;
}

async function story() {
  const found = await (told.backend ? backend() : person());
  const token = (found.second ?? found.first).access_token;
  found.dead = await openid.tokenIntrospection(fhirServer, token);
  found.refusedRead = await answer(patient(token));
  return found;
}

console.log(JSON.stringify(await story()));
process.exit(0);
