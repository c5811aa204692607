'use strict';
// The gate before handlers of Express, Connect and node:http. Their answer is kept until it has been checked.
const querystring = require('node:querystring');
const { FhirRequest, urlBelow } = require('./fhir-request');
const { Gate } = require('./gate');
const { BROKEN_SERVER, NOT_BELOW_THE_BASE, Refused } = require('./http-answer');
const { dropBody, leaveBody, readBody } = require('./request-body');

// with them a server runs another method, or another URL, than the one that was decided, deletes more, or stores a
// Provenance, too (TV-29, WR-14 and WR-15 of the checklist)
const ANOTHER_REQUEST = [
  'x-http-method-override', 'x-method-override', 'x-http-method', 'x-original-url', 'x-rewrite-url', 'x-cascade',
  'x-provenance',
];
// with them it answers without a body, with a part of one or one that cannot be read here, or its status tells that a
// hidden record exists
const NO_WHOLE_BODY = [
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
  ...['accept', 'accept-encoding', 'content-length', 'transfer-encoding', 'content-type'],
];

/** Lets nothing through that smartauth has not decided. `request.smartauth` is the decision. Stands before all else. */
function middleware(enforcement) {
  const gate = new Gate(enforcement);
  return function smartauth(request, response, next) {
    pass(gate, request, response, next).catch((error) => {
      send(response, error instanceof Refused ? error.answer : BROKEN_SERVER);
    });
  };
}

async function pass(gate, request, response, next) {
  const asked = requestOf(gate.options, request);
  if (asked === null) return send(response, NOT_BELOW_THE_BASE);
  const passage = await gate.before(asked, (limit) => readBody(request, limit));
  removeHeaders(request, ANOTHER_REQUEST);
  if (passage.body !== undefined) leaveBody(request, passage.body, passage.request.form !== null);
  if (['GET', 'HEAD'].includes(request.method)) await dropBody(request);
  request.smartauth = passage.decision;
  if (!passage.token) return next();
  removeHeaders(request, NO_WHOLE_BODY);
  request.headers.accept = 'application/fhir+json';
  rewrite(request, passage.request.method, `${gate.options.root}/${passage.request.url}`);
  const restore = keep(response, async (answer) => {
    const shown = await gate.after(asked, passage, answer).catch(() => BROKEN_SERVER);
    restore();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    send(response, shown);
  });
  next();
}

function requestOf({ root }, request) {
  const url = urlBelow(root, request.originalUrl ?? request.url);
  if (url === null) return null;
  return new FhirRequest({
    method: request.method,
    url,
    authorization: request.headersDistinct.authorization, // node keeps only the first of two in `headers`
    ifNoneExist: criteriaOf(request.headersDistinct),
    address: request.socket.remoteAddress,
    contentType: (request.headersDistinct['content-type'] ?? []).join('\n'),
  });
}

function criteriaOf(headers) {
  const named = Object.keys(headers).filter((name) => hyphenated(name) === 'if-none-exist');
  return named.length ? named.flatMap((name) => headers[name]).join('&') : null;
}

function removeHeaders(request, names) {
  const { headers, headersDistinct, rawHeaders } = request;
  const isOne = (name) => names.includes(hyphenated(name));
  for (const known of [headers, headersDistinct]) Object.keys(known).filter(isOne).forEach((name) => delete known[name]);
  request.rawHeaders = rawHeaders.filter((_, at) => !isOne(rawHeaders[at - (at % 2)]));
}

/** An underscore is a hyphen to a server behind that is built on WSGI or CGI. */
function hyphenated(name) {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The request as it is to be answered, for handlers that look at it in any of these places. */
function rewrite(request, method, url) {
  const mounted = request.baseUrl ?? '';
  request.method = method;
  if ('originalUrl' in request) request.originalUrl = url;
  request.url = url.slice(mounted.length);
  if (Object.hasOwn(request, 'query')) { // Express 4 has read it by now
    const parse = request.app?.get('query parser fn') ?? querystring.parse;
    request.query = parse(url.split('?')[1] ?? '');
  }
}

/** Keeps what is written to the response, for `answered`. What it returns makes the response write again. */
function keep(response, answered) {
  const { writeHead, write, end, flushHeaders } = response;
  const parts = [];
  const add = (part, encoding) => {
    if (part !== undefined && part !== null) parts.push(Buffer.from(part, typeof encoding === 'string' ? encoding : 'utf8'));
  };
  const lastOf = (values) => values.find((value) => typeof value === 'function')?.();
  response.flushHeaders = () => {};
  response.writeHead = (status, ...rest) => {
    response.statusCode = status;
    const headers = rest.find((each) => typeof each === 'object') ?? [];
    for (const [name, value] of Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers)) {
      response.setHeader(name, value);
    }
    return response;
  };
  response.write = (part, ...rest) => {
    add(part, rest[0]);
    lastOf(rest);
    return true;
  };
  response.end = (...values) => {
    if (typeof values[0] !== 'function') add(values[0], values[1]);
    lastOf(values);
    response.end = () => response; // once
    answered({ status: response.statusCode, headers: response.getHeaders(), body: Buffer.concat(parts) });
    return response;
  };
  return () => Object.assign(response, { writeHead, write, end, flushHeaders });
}

/** Pairs of a flat list, or one of pairs. */
function pairsOf(headers) {
  if (Array.isArray(headers[0])) return headers;
  return headers.flatMap((name, at) => (at % 2 ? [] : [[name, headers[at + 1]]]));
}

/** What a HEAD gets of it, node leaves out. */
function send(response, { status, headers, body }) {
  response.statusCode = status;
  response.statusMessage = '';
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-length', body.length);
  response.end(body);
}

exports.middleware = middleware;
