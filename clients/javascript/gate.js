'use strict';
// What is asked about a request before your server sees it, and about its answer before the app does.
const { Asking } = require('./asking');
const { countAlone, errorAnswer, hasSearch, itemsOf, parseResource, rebuildBundle, resourceAnswer } = require('./checking');
const { CREATE, HISTORY, READ, SEARCH } = require('./fhir-request');
const { BROKEN_SERVER, FORBIDDEN, MALFORMED_REQUEST, NO_JSON, Refused } = require('./http-answer');
const { isEverything } = require('./decision');
const { checkableRequest, narrowedRequest } = require('./narrowing');
const { Token } = require('./token');

const SMART_CONFIGURATION = '.well-known/smart-configuration';
const MAX_FORM = 65_536;
const MAX_CONTENT = 10_000_000;

/** Asks smartauth about each request and each answer. Nothing is kept but connections and the public document. */
class Gate {
  constructor(enforcement) {
    this.options = enforcement;
    this.asking = new Asking(enforcement);
    this.open = ['metadata', ...enforcement.public];
  }

  /**
   * How the request goes on, as your server is to see it. With `token` its answer comes back to the gate; with `body`
   * its body has been read. Throws Refused with the answer where it does not go on.
   */
  async before(request, readBody) {
    if (['GET', 'HEAD'].includes(request.method)) {
      if (request.path === SMART_CONFIGURATION) throw new Refused(await this.document());
      if (this.open.includes(request.path)) return { request };
    }
    const token = new Token(this.options, this.asking, request);
    const body = request.isSearchByPost ? await readBody(MAX_FORM) : undefined;
    const asked = body === undefined ? request : request.with({ form: formOf(body) });
    const decision = await token.decide(asked);
    if (decision.view === null) return { request: asked, decision, body };
    if (asked.interaction === CREATE) {
      if (!asked.hasJson) throw new Refused(NO_JSON);
      const content = await readBody(MAX_CONTENT);
      await requireStorable(content, token, decision);
      return { request: asked, decision, token, body: content };
    }
    if (!asked.interaction) throw new Refused(FORBIDDEN);
    const sent = this.requestToCheck(asked, decision);
    return { request: sent, decision, token, body: Buffer.alloc(0), isCount: asked.asksForCount };
  }

  /** What of your server's answer the app may see. */
  async after(asked, { decision, token, isCount = false }, answer) {
    try {
      if (asked.interaction === CREATE) {
        return answer.status >= 200 && answer.status < 300 ? resourceAnswer(answer) : errorAnswer(answer);
      }
      const found = await this.visibleAnswer(asked, decision, token, answer);
      return isCount ? countAlone(found) : found;
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  requestToCheck(asked, decision) {
    const request = checkableRequest(asked, this.believesCounts(asked, decision));
    if (asked.interaction !== SEARCH || this.options.narrow === 'app') return request;
    return narrowedRequest(request, decision.view.get(request.type) ?? [], this.options.narrow);
  }

  /** The answer with nothing but what the view has. */
  async visibleAnswer(asked, decision, token, answer) {
    if ([404, 410].includes(answer.status) && asked.interaction !== SEARCH) {
      // asked all the same: what is hidden takes no longer than what never was
      const asIfThere = { interaction: READ, resource: { resourceType: asked.type, id: asked.id }, entry: {} };
      await token.visibleItems(decision, [asIfThere]);
      return decision.hide;
    }
    if (answer.status < 200 || answer.status >= 300) return errorAnswer(answer);
    const found = parseResource(answer.body);
    if (found === null) return BROKEN_SERVER;
    const shown = await token.visibleItems(decision, itemsOf(asked, found));
    const isBundle = asked.interaction === SEARCH || (asked.interaction === HISTORY && shown.length > 0);
    if (isBundle) return rebuildBundle(asked, answer, found, shown, this.believesCounts(asked, decision));
    return shown.length ? resourceAnswer(answer) : decision.hide;
  }

  /** Whether what your server counts is what the app may see, also where no page shows it. */
  believesCounts({ type }, { view }) {
    return this.options.trustsCounts || (view.get(type) ?? []).some(isEverything);
  }

  async document() {
    try {
      const body = await this.asking.smartConfiguration();
      const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
      return { status: 200, headers, body };
    } catch (error) {
      throw this.asking.refuse(error);
    }
  }
}

/** Throws Refused for what may not be stored, or cannot be read. */
async function requireStorable(body, token, decision) {
  const resource = parseResource(body);
  if (resource === null) throw new Refused(MALFORMED_REQUEST);
  if (hasSearch(resource) || !(await token.mayCreate(decision, resource))) throw new Refused(FORBIDDEN);
}

function formOf(body) {
  const form = body.toString('latin1');
  if (/[^\x00-\x7f]/.test(form)) throw new Refused(MALFORMED_REQUEST);
  return form;
}

exports.Gate = Gate;
