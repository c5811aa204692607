'use strict';
// What tests ask: a smartauth that says what it is told to say, and a server of node:http behind the middleware.
const http = require('node:http');
const { Enforcement, middleware } = require('smartauth-enforcement');

const ALL = [{ who: 'all', where: [] }];
const AMY = [{ who: { compartments: ['Patient/amy'] }, where: [] }];
const HIDE = { http: { status: 404, headers: {} }, outcome: { resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] } };

/** A yes for these alternatives of each type. */
function yes(view, more = {}) {
  const elements = Object.fromEntries(Object.keys(view).map((type) => [type, ['resourceType', 'id', 'subject']]));
  return { decision: true, context: { claims: { sub: 's' }, view, sets: {}, elements, hide: HIDE, ...more } };
}

/** Says `says` to what is asked, and yes to each entry whose subject is amy. `questions` are all bodies that came. */
function startSmartauth(says) {
  const questions = [];
  const isOfAmy = ({ resource: { properties } }) => properties.content.subject?.reference === 'Patient/amy';
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = parts.length ? JSON.parse(Buffer.concat(parts)) : {};
    questions.push({ path: request.url, authorization: request.headers.authorization, ...body });
    if (typeof says === 'function') return says(request, response, questions.length);
    const entries = body.evaluations?.map((one) => ({ decision: isOfAmy(one) }));
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(entries ? { evaluations: entries } : says));
  });
  return listening(server, { questions });
}

/** A FHIR server below /fhir that answers by `handler`, and keeps what reached it. */
async function startFhir(smartauth, handler, options = {}) {
  const reached = [];
  const enforcement = new Enforcement({
    base: 'https://fhir.example.org/fhir', smartauth, clientId: 'it', clientSecret: 'a secret', seconds: 20, ...options,
  });
  const gate = middleware(enforcement);
  const server = http.createServer((request, response) => {
    gate(request, response, () => {
      reached.push({ method: request.method, url: request.url, headers: { ...request.headers }, body: request.body });
      handler(request, response);
    });
  });
  return listening(server, { reached });
}

function listening(server, more) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const stop = () => { server.closeAllConnections(); server.close(); };
      resolve({ url: `http://127.0.0.1:${server.address().port}`, stop, ...more });
    });
  });
}

/** What the app gets: status, headers, and the JSON of the body if there is one. */
async function ask(fhir, path, { method = 'GET', token = 'abc', headers = {}, body } = {}) {
  const shown = token === null ? {} : { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${fhir.url}${path}`, { method, headers: { ...shown, ...headers }, body });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: text ? JSON.parse(text) : null };
}

/** A handler that answers with that resource, whatever is asked. */
const answering = (resource, status = 200) => (request, response) => {
  response.writeHead(status, { 'Content-Type': 'application/fhir+json', ETag: 'W/"1"', 'X-Secret': 'ben' });
  response.end(typeof resource === 'string' ? resource : JSON.stringify(resource));
};

const observation = (id, patient) => ({ resourceType: 'Observation', id, subject: { reference: `Patient/${patient}` }, note: patient });

module.exports = { ALL, AMY, HIDE, answering, ask, observation, startFhir, startSmartauth, yes };
