'use strict';
// A search that finds nothing but what the view has: narrowed before it runs, so that counts and pages are right.
const { COUNT_ALONE, HISTORY } = require('./fhir-request');
const { Refused, TOO_COSTLY, TOO_MANY_PATIENTS, answerOf } = require('./http-answer');

const CUT_SHORT = ['_elements', '_fields', '_format', '_summary']; // what is checked must be whole, and JSON
const NOTHING_FOUND = answerOf(200, { resourceType: 'Bundle', type: 'searchset', total: 0 });

/**
 * The same as a GET whose answer can be checked: a search by POST with its form in the query, nothing cut short. Without
 * `keepsCounts` what is counted is asked for, so that it can be seen.
 */
function checkableRequest(request, keepsCounts) {
  const query = [request.query, request.form].filter(Boolean).join('&');
  const pairs = pairsOf(query).filter(([name, value]) => !isTakenOff(request, name, value, keepsCounts));
  const path = request.isSearchByPost ? request.type : request.path;
  return request.with({ method: 'GET', path, query: encoded(pairs), form: null });
}

/** A search in that form, narrowed to the view. Throws Refused where that is no single search, or finds nothing. */
function narrowedRequest(request, view, how) {
  if (view.some(({ isUnlisted }) => isUnlisted)) throw new Refused(TOO_MANY_PATIENTS);
  const narrowing = single(request.type, view);
  if (narrowing === null) throw new Refused(TOO_COSTLY);
  const { patients, ids, where } = narrowing;
  if (patients !== null && patients.length + ids.length === 0) throw new Refused(NOTHING_FOUND);
  const added = [...where];
  let { path } = request;
  if (ids.length) added.push(['_id', ids.join(',')]);
  else if (patients?.length === 1 && how === 'compartment') path = `Patient/${patients[0]}/${request.type}`;
  else if (patients) added.push(['patient', patients.map((id) => `Patient/${id}`).join(',')]);
  const pairs = pairsOf(request.query);
  const isNew = ([name, value]) => !pairs.some((pair) => pair[0] === name && pair[1] === value);
  return request.with({ path, query: encoded([...pairs, ...added.filter(isNew)]) });
}

function isTakenOff(request, name, value, keepsCounts) {
  if (COUNT_ALONE.includes(`${name}=${value}`)) return !keepsCounts;
  return CUT_SHORT.includes(name) || (name === '_count' && request.interaction === HISTORY);
}

/** Names and values; a question mark at the start is one of a name, which URLSearchParams would take off. */
function pairsOf(query) {
  return [...new URLSearchParams(`&${query}`)];
}

function encoded(pairs) {
  return new URLSearchParams(pairs).toString();
}

/**
 * What has every record of the view and no other, or fewer; null where one search cannot say it. `patients`: null for
 * everybody's.
 */
function single(type, view) {
  if (view.length === 0) return { patients: [], ids: [], where: [] };
  const where = commonWhere(view);
  if (where === null) return null;
  if (view.some(({ patients, own }) => patients === null && own === '')) return { patients: null, ids: [], where };
  const patients = unique(view.flatMap((one) => one.patients ?? []));
  const own = view.filter((one) => one.own.startsWith(`${type}/`)).map((one) => one.own.split('/')[1]);
  if (type === 'Patient') return { patients: [], ids: unique([...patients, ...own]), where };
  // the other resources that a user can be lie in no compartment
  if (own.length && type !== 'RelatedPerson') return { patients: [], ids: own, where };
  return { patients, ids: [], where };
}

/** The criteria of all alternatives, or of the same owner's joined; null where there are several. */
function commonWhere(view) {
  const wheres = unique(view.map(({ where }) => JSON.stringify(where))).map((where) => JSON.parse(where));
  if (wheres.length === 1) return wheres[0];
  const owners = unique(view.map(({ patients, own }) => JSON.stringify([patients, own])));
  if (owners.length !== 1) return null;
  if (wheres.some((where) => where.length === 0)) return [];
  const names = unique(wheres.flat().map(([name]) => name));
  if (names.length !== 1 || wheres.some((where) => where.length !== 1)) return null;
  return [[names[0], wheres.map(([[, value]]) => value).join(',')]]; // any of the values will do
}

function unique(values) {
  return [...new Set(values)];
}

module.exports = { checkableRequest, narrowedRequest };
