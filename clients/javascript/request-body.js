'use strict';
// The body of a request, which is read here before a decision, and is then in `request.body`, as body parsers leave it.
const querystring = require('node:querystring');
const { MALFORMED_REQUEST, Refused, TOO_LONG } = require('./http-answer');

const MAX_DROPPED = 65_536;

/** Its bytes, also where a body parser has read them before. Throws Refused for more than `limit`. */
async function readBody(request, limit) {
  if (request.readableEnded) return parsedBefore(request);
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > limit) throw new Refused(TOO_LONG);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Leaves it where handlers look: a form as names and values, anything else as the JSON that it is. */
function leaveBody(request, body, isForm) {
  if (body.length === 0) delete request.body;
  else request.body = isForm ? querystring.parse(body.toString()) : JSON.parse(body.toString());
  request._body = true; // body parsers read it no more
}

/** Of a GET: nobody has decided about what stands in it, and some servers look for parameters there. */
async function dropBody(request) {
  if (!('transfer-encoding' in request.headers || Number(request.headers['content-length']) > 0)) return;
  await readBody(request, MAX_DROPPED);
  leaveBody(request, Buffer.alloc(0), false);
  for (const name of ['content-length', 'transfer-encoding', 'content-type']) delete request.headers[name];
}

function parsedBefore(request) {
  const { body = {} } = request;
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
    return Buffer.from(JSON.stringify(body));
  }
  const values = Object.entries(body).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  if (!values.every(([, value]) => typeof value === 'string')) throw new Refused(MALFORMED_REQUEST);
  return Buffer.from(new URLSearchParams(values).toString());
}

module.exports = { dropBody, leaveBody, readBody };
