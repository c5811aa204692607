'use strict';
// The questions about one access token: what a request may do, and which resources of an answer may be shown.
const { Rejected, Unavailable } = require('./asking');
const { prune } = require('./checking');
const { Malformed, VIEW_FORM, isEverything, parseDecision, parseDecisions } = require('./decision');
const { CREATE } = require('./fhir-request');
const { MALFORMED_REQUEST, Refused } = require('./http-answer');

// of one question; smartauth reads 200 entries and 1 MiB
const ENTRIES = 200;
const BATCH_BYTES = 900_000;

/** One request's token, and what smartauth says of it. Its methods throw Refused where smartauth says nothing. */
class Token {
  constructor(enforcement, asking, request) {
    this.base = enforcement.base;
    this.asking = asking;
    this.subject = { type: 'access_token', id: request.token() };
    this.caller = enforcement.tellsAddresses && request.address ? { client_address: request.address } : {};
  }

  /** The decision about the request. Throws Refused with how to refuse it. */
  async decide(request) {
    const { method, url, ifNoneExist, form } = request;
    const condition = ifNoneExist === null ? {} : { if_none_exist: ifNoneExist };
    const http = { method, url, ...condition, ...(form === null ? {} : { form }) };
    const context = { base: this.base, http, understands: [VIEW_FORM], ...this.caller };
    const decision = await this.ask('evaluation', { subject: this.subject, context }, parseDecision);
    if (decision.refused) throw new Refused(decision.refused);
    return Object.freeze(decision);
  }

  /** Those that may be shown, in their order. */
  async visibleItems(decision, items) {
    const viewOf = ({ resource }) => decision.view.get(resource.resourceType) ?? [];
    const isSure = (item) => viewOf(item).some(isEverything);
    const doubtful = items.filter((item) => !isSure(item) && viewOf(item).length);
    const answers = await this.aboutEach(doubtful.map((item) => this.entry(decision, item)));
    const allowed = new Set(doubtful.filter((item, at) => answers[at] === true));
    return items.filter((item) => isSure(item) || allowed.has(item));
  }

  /** Whether that may be stored as a new resource. */
  async mayCreate(decision, resource) {
    const [found] = await this.aboutEach([this.entry(decision, { interaction: CREATE, resource })]);
    return found === true;
  }

  async aboutEach(entries) {
    const found = [];
    for (const batch of batchesOf(entries)) {
      const question = { subject: this.subject, context: this.caller, evaluations: batch };
      found.push(...(await this.ask('evaluations', question, (answer) => parseDecisions(answer, batch.length))));
    }
    return found;
  }

  async ask(path, question, parse) {
    try {
      return parse(await this.asking.ask(path, question));
    } catch (error) {
      if (error instanceof Rejected) throw new Refused(MALFORMED_REQUEST);
      if (error instanceof Unavailable || error instanceof Malformed) throw this.asking.refuse(error);
      throw error;
    }
  }

  entry(decision, { interaction, resource }) {
    const { resourceType: type, id } = resource;
    const content = prune(resource, decision.elements.get(type) ?? []);
    const named = typeof id === 'string' && interaction !== CREATE ? id : '*';
    return { action: { name: interaction }, resource: { type, id: named, properties: { base: this.base, content } } };
  }
}

function* batchesOf(entries) {
  let batch = [];
  let bytes = 0;
  for (const entry of entries) {
    const more = Buffer.byteLength(JSON.stringify(entry));
    if (batch.length === ENTRIES || (batch.length && bytes + more > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(entry);
    bytes += more;
  }
  if (batch.length) yield batch;
}

exports.Token = Token;
