// The records of the recipes by node-fhir-server-core behind smartauth's middleware: it asks the open server of UPSTREAM.
const { constants, ServerError } = require('@asymmetrik/node-fhir-server-core');
const { serve } = require('./middleware_server');

async function ask(below) {
  const answer = await fetch(`${process.env.UPSTREAM}/${below}`);
  if (answer.ok) return answer.json();
  throw new ServerError('not-found', { statusCode: 404, issue: [{ severity: 'error', code: 'not-found' }] });
}

/** The query of a search with what keeps it within the view: this server narrows itself. */
function narrowed(type, { url, smartauth: { view } }) {
  const query = new URLSearchParams(url.split('?')[1]);
  if (view === null) return query;
  const [first, ...others] = view.get(type);
  if (first.patients) query.append(type === 'Patient' ? '_id' : 'patient', first.patients.join(','));
  const criteria = new Map();
  for (const { where } of [first, ...others]) { // those of these tests differ in the value of one parameter
    for (const [name, value] of where) criteria.set(name, [...(criteria.get(name) ?? []), value]);
  }
  for (const [name, values] of criteria) query.append(name, values.join(','));
  return query;
}

function service(type) {
  return {
    search: (args, { req }) => ask(`${type}?${narrowed(type, req)}`),
    searchById: ({ id }) => ask(`${type}/${id}`),
    searchByVersionId: ({ id, version_id: version }) => ask(`${type}/${id}/_history/${version}`),
    historyById: ({ id }) => ask(`${type}/${id}/_history`),
  };
}

const types = ['Patient', 'Practitioner', 'Observation', 'Encounter', 'Condition'];
const versions = [constants.VERSIONS['4_0_1']];
serve(Object.fromEntries(types.map((type) => [type.toLowerCase(), { service: service(type), versions }])));
