// A FHIR server of node-fhir-server-core, protected by its own strategy: it asks smartauth about every token.
// What the strategy leaves out stands in `own`: is the token for this base, and whose record is it.
const express = require('express');
const path = require('path');
const { initialize, constants, resolveSchema, ServerError } = require('@asymmetrik/node-fhir-server-core');

const version = constants.VERSIONS['4_0_1'];
const Patient = resolveSchema(version, 'patient');
const { FHIR_BASE, INTROSPECT } = process.env;
const base = new URL(FHIR_BASE);
const root = base.pathname.replace(/\/$/, '');
const records = { amy: { id: 'amy', name: [{ family: 'Shaw' }] }, ben: { id: 'ben', name: [{ family: 'Reed' }] } };

function refused(statusCode, code) {
  return new ServerError(code, { statusCode, issue: [{ severity: 'error', code }] });
}

// Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key.
function isForUs(claims) {
  return claims.active === true && !('cnf' in claims) && [claims.aud].flat().includes(FHIR_BASE);
}

function own(claims, id) {
  const { scope, patient } = claims;
  const isPatient = typeof patient === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(patient);
  if (!isForUs(claims)) throw refused(401, 'security');
  if (typeof scope !== 'string' || !isPatient) throw refused(403, 'forbidden');
  if (patient !== id || !records[id]) throw refused(404, 'not-found');
  return new Patient(records[id]);
}

const patients = {
  searchById: async (args, { req }) => own(req.user, args.id),
  search: async (args, { req }) => [own(req.user, req.user.patient)],
  update: async (args, { req }) => ({ id: own(req.user, args.id).id }),
};

// What apps read before they have a token: smartauth's document about this base, fetched again after five minutes.
const configuration = new URL(`smart-configuration?aud=${encodeURIComponent(FHIR_BASE)}`, INTROSPECT);
let known = { staleAt: 0 };

async function smartConfiguration(request, response) {
  try {
    if (known.staleAt < Date.now()) {
      const answer = await fetch(configuration, { redirect: 'error', signal: AbortSignal.timeout(3000) });
      if (answer.status !== 200) throw new Error(`smart-configuration answered ${answer.status}`);
      known = { content: await answer.json(), staleAt: Date.now() + 300_000 };
    }
  } catch {
    return response.set('Retry-After', '5').status(503).end();
  }
  response.set('Access-Control-Allow-Origin', '*').json(known.content);
}

const app = express();
app.get(`${root}/.well-known/smart-configuration`, smartConfiguration);
// node-fhir-server-core serves below /4_0_1 only: any other base, and one without a path, is led there.
app.use((request, response, next) => {
  if (request.url.startsWith(`${root}/`)) request.url = `/4_0_1${request.url.slice(root.length)}`;
  next();
});

initialize({
  auth: { type: 'smart', strategy: { name: 'bearer', service: path.join(__dirname, 'strategy.js') } },
  logging: { level: 'error' },
  profiles: { patient: { service: patients, versions: [version] } },
}, app).listen(Number(process.env.PORT || base.port || 80), '127.0.0.1');
