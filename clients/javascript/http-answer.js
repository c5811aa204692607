'use strict';
// An answer to the app: what your server said, or what is said in its place. Names of headers are in lower case.

const { toJson } = require('./strict-json');

/** JSON with these headers. */
function answerOf(status, content, headers = {}, kind = 'application/fhir+json') {
  return { status, headers: { 'content-type': kind, ...headers }, body: Buffer.from(toJson(content)) };
}

/** An OperationOutcome with a code of FHIR's issue-type value set, and nothing of the request. */
function refusal(status, code, headers = {}, more = {}) {
  return answerOf(status, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, ...more }] }, headers);
}

/** The request goes no further: `answer` is what the app is told. */
class Refused extends Error {
  constructor(answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

module.exports = {
  answerOf,
  refusal,
  Refused,
  NO_TOKEN: refusal(401, 'login', { 'www-authenticate': 'Bearer' }),
  MALFORMED_TOKEN: refusal(401, 'login', { 'www-authenticate': 'Bearer error="invalid_token"' }),
  MALFORMED_REQUEST: refusal(400, 'invalid'),
  FORBIDDEN: refusal(403, 'forbidden'),
  TOO_COSTLY: refusal(403, 'too-costly'),
  TOO_MANY_PATIENTS: refusal(403, 'too-costly', {}, {
    diagnostics: 'You may see more patients than a search can be narrowed to.',
  }),
  NOT_BELOW_THE_BASE: refusal(404, 'not-found'),
  TOO_LONG: refusal(413, 'too-long'),
  NO_JSON: refusal(415, 'not-supported'),
  BROKEN_SERVER: refusal(500, 'exception'),
  UNAVAILABLE: refusal(503, 'transient', { 'retry-after': '5' }),
};
