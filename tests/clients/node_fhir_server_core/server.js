// A FHIR server of node-fhir-server-core, protected by its own strategy: it asks smartauth about every token.
// What the strategy leaves out stands in `own`: is the token for this base, and whose record is it.
const path = require('path');
const { initialize, constants, resolveSchema, ServerError } = require('@asymmetrik/node-fhir-server-core');

const version = constants.VERSIONS['4_0_1'];
const Patient = resolveSchema(version, 'patient');
const base = new URL(process.env.FHIR_BASE);
const records = { amy: { id: 'amy', name: [{ family: 'Shaw' }] }, ben: { id: 'ben', name: [{ family: 'Reed' }] } };

function refused(statusCode, code) {
  return new ServerError(code, { statusCode, issue: [{ severity: 'error', code }] });
}

function own(claims, id) {
  if (claims.aud !== base.href) throw refused(401, 'security');
  if (claims.patient !== id || !records[id]) throw refused(404, 'not-found');
  return new Patient(records[id]);
}

const patients = {
  searchById: async (args, { req }) => own(req.user, args.id),
  search: async (args, { req }) => [own(req.user, req.user.patient)],
  update: async (args, { req }) => ({ id: own(req.user, args.id).id }),
};

initialize({
  auth: { type: 'smart', strategy: { name: 'bearer', service: path.join(__dirname, 'strategy.js') } },
  logging: { level: 'error' },
  profiles: { patient: { service: patients, versions: [version] } },
}).listen(Number(base.port), base.hostname);
