// node-fhir-server-core with its sof-strategy as their documentation sets them up: services that find what they are
// asked for, and nothing of ours. For the test that compares what is missing there with what the probe finds.
const path = require('path');
const { initialize, constants, resolveSchema, ServerError } = require('@asymmetrik/node-fhir-server-core');

const version = constants.VERSIONS['4_0_1'];
const LAB = 'laboratory', VITAL = 'vital-signs';

function result(id, patient, code, category) {
  const system = 'http://terminology.hl7.org/CodeSystem/observation-category';
  return {
    id, status: 'final', subject: { reference: `Patient/${patient}` }, category: [{ coding: [{ system, code: category }] }],
    code: { coding: [{ system: 'http://loinc.org', code }] }, meta: { versionId: '1' },
  };
}

const stored = {
  patient: new Map(['amy', 'ben'].map((id) => [id, { id, name: [{ family: id }], identifier: [{ value: `mrn-${id}` }], meta: { versionId: '1' } }])),
  observation: new Map([
    ['amy-lab', result('amy-lab', 'amy', '4548-4', LAB)],
    ['amy-vital', result('amy-vital', 'amy', '29463-7', VITAL)],
    ['ben-lab', result('ben-lab', 'ben', '718-7', LAB)],
  ]),
};
let made = 0;

function wanted(record, { patient, subject, _id }) {
  const owner = (patient || subject || '').replace('Patient/', '');
  return (!owner || record.subject?.reference === `Patient/${owner}`) && (!_id || _id.split(',').includes(record.id));
}

function serviceOf(type) {
  const Resource = resolveSchema(version, type);
  const records = stored[type];
  const found = (id) => {
    if (!records.has(id)) throw new ServerError('not found', { statusCode: 404, issue: [{ severity: 'error', code: 'not-found' }] });
    return new Resource(records.get(id));
  };
  const store = (id, content) => {
    records.set(id, { ...content, id, meta: { versionId: '1' } });
    return { id, resource_version: '1' };
  };
  const bundle = (each) => ({ resourceType: 'Bundle', type: 'searchset', total: each.length, entry: each.map((one) => ({ resource: new Resource(one) })) });
  return {
    search: async (args, { req }) => bundle([...records.values()].filter((each) => wanted(each, req.query))),
    searchById: async ({ id }) => found(id),
    searchByVersionId: async ({ id }) => found(id),
    history: async () => bundle([...records.values()]),
    historyById: async ({ id }) => bundle([found(id)]),
    create: async (args, { req }) => store(`made-${++made}`, req.body),
    update: async ({ id }, { req }) => store(id, req.body),
    remove: async ({ id }) => ({ deleted: records.delete(id) ? 1 : 0 }),
  };
}

initialize({
  auth: { type: 'smart', strategy: { name: 'bearer', service: path.join(__dirname, 'strategy.js') } },
  logging: { level: 'error' },
  profiles: {
    patient: { service: serviceOf('patient'), versions: [version] },
    observation: { service: serviceOf('observation'), versions: [version] },
  },
}).listen(Number(process.env.PORT), '127.0.0.1');
