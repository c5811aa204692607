// A FHIR server of node-fhir-server-core behind smartauth's middleware: no strategy, no check in any service.
const express = require('express');
const { initialize, constants, resolveSchema, ServerError } = require('@asymmetrik/node-fhir-server-core');
const { Enforcement, middleware } = require('smartauth-enforcement');

const version = constants.VERSIONS['4_0_1'];
const Patient = resolveSchema(version, 'patient');
const base = new URL(process.env.FHIR_BASE);
const root = base.pathname.replace(/\/$/, '');
const records = { amy: { id: 'amy', name: [{ family: 'Shaw' }] }, ben: { id: 'ben', name: [{ family: 'Reed' }] } };

function patient(id) {
  if (!records[id]) throw new ServerError('not-found', { statusCode: 404, issue: [{ severity: 'error', code: 'not-found' }] });
  return new Patient(records[id]);
}

// Who may be found by a search. What it finds beyond, the middleware drops, and with it the count.
function isInView(id, { view }) {
  return view === null || view.get('Patient').some(({ patients }) => patients?.includes(id));
}

const patients = {
  searchById: async (args) => patient(args.id),
  search: async (args, { req }) => {
    const { _id = '' } = req.query;
    const found = Object.keys(records).filter((id) => isInView(id, req.smartauth) && (!_id || _id.split(',').includes(id)));
    const entry = found.map((id) => ({ resource: patient(id) }));
    return { resourceType: 'Bundle', type: 'searchset', total: found.length, entry };
  },
};

function serve(profiles) {
  const app = express();
  // It refuses an _id that comes twice, so that its searches narrow themselves.
  app.use(middleware(Enforcement.fromEnvironment({ narrow: 'app' })));
  // node-fhir-server-core serves below /4_0_1 only: any other base, and one without a path, is led there.
  app.use((request, response, next) => {
    if (request.url.startsWith(`${root}/`)) request.url = `/4_0_1${request.url.slice(root.length)}`;
    next();
  });
  const port = Number(process.env.PORT || base.port || 80);
  initialize({ logging: { level: 'error' }, profiles }, app).listen(port, '127.0.0.1');
}

if (require.main === module) serve({ patient: { service: patients, versions: [version] } });
module.exports = { serve };
