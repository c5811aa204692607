'use strict';
// An answer of your server, resource by resource: what of it smartauth is asked about, and what is left of it.
const { HISTORY, READ, SEARCH } = require('./fhir-request');
const { BROKEN_SERVER, TOO_COSTLY, answerOf, refusal } = require('./http-answer');
const { parseJson } = require('./strict-json');

const OF_EVERY_ANSWER = /^(cache-control|vary|access-control-.+)$/;
const OF_A_RESOURCE = /^(content-type|etag|last-modified|location|cache-control|vary|access-control-.+)$/;
const CODES = { 400: 'invalid', 405: 'not-supported', 406: 'not-supported', 409: 'conflict', 412: 'conflict', 422: 'invalid' };
const PAGES = ['self', 'first', 'previous', 'prev', 'next', 'last'];
const OF_AN_ENTRY = ['fullUrl', 'resource', 'search', 'request', 'response'];

/** The resource that it is, null for anything else. */
function parseResource(body) {
  try {
    const found = parseJson(body);
    return typeof found?.resourceType === 'string' && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}

/**
 * Whether a reference anywhere in it is a search, such as `Patient?identifier=1`, whatever stands before it. Some servers
 * look for the record, among all records, and store who that is (FHIR http, conditional references). HAPI FHIR does so
 * for `https://elsewhere.example.org/Patient?identifier=1`, too.
 */
function hasSearch(content) {
  const waiting = [content];
  while (waiting.length) {
    const found = waiting.pop();
    if (typeof found !== 'object' || found === null) continue;
    if (typeof found.reference === 'string' && /\?|%3f/i.test(found.reference)) return true;
    for (const value of Object.values(found)) waiting.push(value);
  }
  return false;
}

/**
 * The resources of an answer, with the interaction that shows each and the entry that it stands in; of a Bundle those of
 * its entries, without what the server says beside them.
 */
function itemsOf(request, found) {
  if ([SEARCH, HISTORY].includes(request.interaction)) return entriesOf(request, found.entry);
  return found.resourceType === request.type ? [{ interaction: READ, resource: found, entry: {} }] : [];
}

function entriesOf(request, listed) {
  const items = [];
  for (const entry of Array.isArray(listed) ? listed : []) {
    const resource = entry?.resource;
    if (typeof resource?.resourceType !== 'string' || resource.resourceType === 'OperationOutcome') continue;
    const isMatch = resource.resourceType === request.type && entry.search?.mode !== 'include';
    const interaction = isMatch && request.interaction === SEARCH ? SEARCH : READ;
    items.push({ interaction, resource, entry });
  }
  return items;
}

/** Whether it was searched for, and did not come along with what was. */
function isMatch({ interaction, entry }) {
  return interaction !== READ || !('search' in entry);
}

/** Only these paths of a resource. */
function prune(resource, paths) {
  const found = {};
  const depth = (path) => path.split('.').length;
  for (const path of [...paths].sort((one, other) => depth(other) - depth(one))) {
    const [name, ...rest] = path.split('.');
    if (!Object.hasOwn(resource, name)) continue;
    found[name] = rest.length ? below(resource[name], rest.join('.'), found[name]) : resource[name];
  }
  return found;
}

function below(value, path, before) {
  if (Array.isArray(value)) return value.map((each, at) => below(each, path, before?.[at]));
  if (typeof value !== 'object' || value === null) return value;
  return { ...before, ...prune(value, [path]) };
}

/** The Bundle with nothing but what is shown: no count and no pages that tell of more. */
function rebuildBundle(request, answer, found, shown, believesCount) {
  const isHistory = request.interaction === HISTORY;
  const link = linksOf(request, found.link);
  if (isHistory && link.some(({ relation }) => relation === 'next')) return TOO_COSTLY;
  const entry = shown.map((item) => only(item.entry, OF_AN_ENTRY));
  const matches = shown.filter(isMatch).length;
  const bundle = { resourceType: 'Bundle', type: isHistory ? 'history' : 'searchset' };
  if (isHistory) {
    bundle.total = entry.length;
  } else if (matches === itemsOf(request, found).filter(isMatch).length) {
    const isCounted = believesCount || found.total === matches;
    Object.assign(bundle, isCounted ? only(found, ['total']) : {}, link.length ? { link } : {});
  }
  const content = { ...bundle, ...(entry.length ? { entry } : {}) };
  return answerOf(200, content, headersOf(answer, OF_EVERY_ANSWER));
}

/** A Bundle without its entries and pages, with the total as far as it is known. */
function countAlone(answer) {
  const found = parseResource(answer.body);
  if (found?.type !== 'searchset') return answer;
  return answerOf(answer.status, only(found, ['resourceType', 'type', 'total']), headersOf(answer, OF_EVERY_ANSWER));
}

/** The pages as the app may ask for them: of the type, whichever compartment was searched. */
function linksOf(request, listed) {
  const compartment = new RegExp(`/Patient/[A-Za-z0-9.-]+/${request.type}(?=\\?|$)`);
  const pages = (Array.isArray(listed) ? listed : []).filter((link) => PAGES.includes(link?.relation));
  return pages
    .filter(({ url }) => typeof url === 'string')
    .map(({ relation, url }) => ({ relation, url: url.replace(compartment, `/${request.type}`) }));
}

/** The answer that holds one resource, or what was stored, without headers that nobody knows. */
function resourceAnswer(answer) {
  return { ...answer, headers: headersOf(answer, OF_A_RESOURCE) };
}

/** The same status with words of ours: what your server says of an error may name what is hidden. */
function errorAnswer(answer) {
  if (answer.status < 400) return BROKEN_SERVER;
  const code = CODES[answer.status] ?? (answer.status >= 500 ? 'exception' : 'processing');
  return refusal(answer.status, code, headersOf(answer, OF_EVERY_ANSWER));
}

function headersOf(answer, known) {
  return Object.fromEntries(Object.entries(answer.headers).filter(([name]) => known.test(name)));
}

function only(members, names) {
  return Object.fromEntries(names.filter((name) => name in members).map((name) => [name, members[name]]));
}

module.exports = { countAlone, errorAnswer, hasSearch, itemsOf, parseResource, prune, rebuildBundle, resourceAnswer };
