// A FHIR server in Express that asks smartauth about every token. Run it: npm ci && node server.js
import express from 'express';

const { FHIR_BASE, INTROSPECT, CLIENT_ID, CLIENT_SECRET } = process.env;
const app = express();

// The part to copy ----------------------------------------------------------------------------------------------------

const INVALID = 'Bearer error="invalid_token"';
const basic = 'Basic ' + Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64');

function refuse(response, status, code, challenge) {
  if (challenge) response.set('WWW-Authenticate', challenge);
  if (status === 503) response.set('Retry-After', '5');
  response.status(status).json({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });
}

async function introspected(token) {
  const answer = await fetch(INTROSPECT, {
    method: 'POST',
    headers: { Authorization: basic },
    body: new URLSearchParams({ token }),
    redirect: 'error',
    signal: AbortSignal.timeout(3000),
  });
  if (answer.status !== 200) throw new Error(`introspection answered ${answer.status}`);
  return answer.json();
}

// Nothing is served before smartauth has said that the token lives and was made for this server. Nothing is cached.
async function whoAsks(request, response, next) {
  const sent = request.headersDistinct.authorization ?? []; // node keeps only the first of two in `headers`
  const shown = sent.join(', ');
  const bearer = /^bearer +([A-Za-z0-9._~+/-]{1,16000}=*)$/i.exec(shown);
  if (!bearer) return refuse(response, 401, 'login', /^bearer /i.test(shown) ? INVALID : 'Bearer');
  let claims;
  try {
    claims = await introspected(bearer[1]);
  } catch {
    return refuse(response, 503, 'transient');
  }
  if (!isForUs(claims)) return refuse(response, 401, 'login', INVALID);
  request.claims = claims;
  next();
}

// Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key.
function isForUs(claims) {
  return claims?.active === true && !('cnf' in claims) && [claims.aud].flat().includes(FHIR_BASE);
}

// The one patient that this request may see: 403 if no scope allows it.
function allow(resource, letter) {
  const words = { read: 'rs', write: 'cud', '*': 'cruds' };
  return (request, response, next) => {
    const { scope, patient } = request.claims;
    const isPatient = typeof patient === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(patient);
    const isAllowed = typeof scope === 'string' && scope.split(' ').some((name) => {
      const held = /^patient\/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)$/.exec(name);
      return held && ['*', resource].includes(held[1]) && (words[held[2]] ?? held[2]).includes(letter);
    });
    if (!isAllowed || !isPatient) return refuse(response, 403, 'forbidden', 'Bearer error="insufficient_scope"');
    request.patient = patient;
    next();
  };
}

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
    return refuse(response, 503, 'transient');
  }
  response.set('Access-Control-Allow-Origin', '*').json(known.content);
}

// Your server ---------------------------------------------------------------------------------------------------------

const base = new URL(FHIR_BASE);
const root = base.pathname.replace(/\/$/, ''); // a base without a path has '/' here
const patients = new Map(['amy', 'ben'].map((id) => [id, { resourceType: 'Patient', id }]));

app.get(`${root}/.well-known/smart-configuration`, smartConfiguration);
app.use(whoAsks);

app.get(`${root}/Patient/:id`, allow('Patient', 'r'), (request, response) => {
  const { id } = request.params;
  if (id !== request.patient || !patients.has(id)) return refuse(response, 404, 'not-found');
  response.json(patients.get(id));
});

app.get(`${root}/Patient`, allow('Patient', 's'), (request, response) => {
  const asked = [request.query._id ?? [...patients.keys()]].flat();
  const found = asked.filter((id) => id === request.patient && patients.has(id));
  const entry = found.map((id) => ({ resource: patients.get(id) }));
  response.json({ resourceType: 'Bundle', type: 'searchset', total: entry.length, entry });
});

app.listen(Number(process.env.PORT || base.port || 80), '127.0.0.1');
