'use strict';
// What smartauth decided (OpenID AuthZEN Authorization API 1.0 §5.5): what is not understood is refused.
const { answerOf } = require('./http-answer');

const VIEW_FORM = 'fhir-view/1';
const ONLY_WITH_A_VIEW = ['hide', 'sets', 'elements', 'refuse', 'obligations'];

/** An answer that is none. */
class Malformed extends Error {}

/** The decision, `{ refused }` with an answer for the app, or a yes as index.d.ts has it. Throws Malformed. */
function parseDecision(answer) {
  const { decision, context: raw } = object(answer);
  const context = object(raw ?? {});
  if (decision === false) return { refused: refusalOf(context) };
  if (decision !== true) throw new Malformed('decision is neither true nor false');
  const claims = object(context.claims ?? {});
  if (!('view' in context)) {
    if (ONLY_WITH_A_VIEW.some((name) => name in context)) throw new Malformed('a condition without a view');
    return { view: null, elements: new Map(), hide: null, claims };
  }
  if ('obligations' in context) throw new Malformed('obligations are not understood');
  const sets = mapOf(context.sets, texts);
  const view = mapOf(context.view, (listed) => list(listed).map((one) => alternative(one, sets)));
  return { view, elements: mapOf(context.elements ?? {}, texts), hide: refusalOf(object(context.hide)), claims };
}

/** Whether each of so many resources may be shown. Throws Malformed, also where one is missing. */
function parseDecisions(answer, count) {
  const found = list(object(answer).evaluations).map((one) => object(one).decision);
  if (found.length !== count || !found.every((one) => typeof one === 'boolean')) {
    throw new Malformed('not one decision for each resource');
  }
  return found;
}

/** Whether it leaves nothing out. */
function isEverything({ patients, own, where }) {
  return patients === null && own === '' && where.length === 0;
}

function refusalOf(raw) {
  const { status, headers } = object(raw.http);
  if (![400, 401, 403, 404].includes(status)) throw new Malformed('no status to refuse with');
  const shown = {};
  for (const [name, value] of Object.entries(object(headers ?? {}))) {
    if (name.toLowerCase() === 'www-authenticate') shown['www-authenticate'] = text(value);
  }
  return answerOf(status, object(raw.outcome), shown);
}

function alternative(raw, sets) {
  const { who, where } = exactly(raw, ['where', 'who']);
  const criteria = list(where).map(criterion);
  const found = { own: '', where: criteria, isUnlisted: false };
  if (who === 'all') return { ...found, patients: null };
  const [name, ...more] = Object.keys(object(who));
  if (more.length === 0 && name === 'compartments') {
    return { ...found, patients: texts(who.compartments).map(patient) };
  }
  if (more.length === 0 && name === 'compartments_of' && sets.has(who.compartments_of)) {
    return { ...found, patients: sets.get(who.compartments_of) };
  }
  if (more.length === 0 && name === 'self' && text(who.self).split('/').length === 2) {
    return { ...found, patients: null, own: who.self };
  }
  if (more.length === 0 && name === 'unlisted_compartments' && Number.isInteger(who.unlisted_compartments)) {
    return { ...found, patients: [], isUnlisted: true };
  }
  throw new Malformed('nobody knows whose records these are');
}

function criterion(raw) {
  const { name, values } = exactly(raw, ['name', 'values']);
  if (texts(values).length === 0) throw new Malformed('a criterion without a value');
  return [text(name), values.join(',')];
}

function patient(reference) {
  const [, name] = /^Patient\/([^/]+)$/.exec(reference) ?? [];
  if (!name) throw new Malformed('a compartment that is not of a patient');
  return name;
}

function exactly(raw, names) {
  if (Object.keys(object(raw)).sort().join() !== names.join()) throw new Malformed(`not the members ${names}`);
  return raw;
}

function mapOf(raw, each) {
  return new Map(Object.entries(object(raw)).map(([name, value]) => [name, each(value)]));
}

function object(found) {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new Malformed('not an object');
  return found;
}

function list(found) {
  if (!Array.isArray(found)) throw new Malformed('not a list');
  return found;
}

function text(found) {
  if (typeof found !== 'string') throw new Malformed('not text');
  return found;
}

function texts(found) {
  return list(found).map(text);
}

module.exports = { Malformed, VIEW_FORM, isEverything, parseDecision, parseDecisions };
