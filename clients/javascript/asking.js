'use strict';
// Questions to smartauth over connections that stay open: bounded in time and length, believed only if flawless.
const { Refused, UNAVAILABLE } = require('./http-answer');
const { Outages } = require('./outages');
const { parseJson, toJson } = require('./strict-json');

const KEPT_MS = 300_000;

/** smartauth gave no answer, or one that cannot be right: nothing is let through. */
class Unavailable extends Error {}

/** smartauth says that the question is none: the app's request was. */
class Rejected extends Error {}

class Asking {
  constructor(enforcement) {
    const { clientId, clientSecret } = enforcement;
    const me = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    this.options = enforcement;
    this.headers = {
      Authorization: `Basic ${Buffer.from(me).toString('base64')}`,
      Accept: 'application/json',
      'Accept-Encoding': 'identity',
    };
    this.document = { endsAt: -Infinity };
    this.outages = new Outages(enforcement.smartauth);
  }

  /** 503 for the app, and the reason for the log. */
  refuse(reason) {
    this.outages.tell(reason.message);
    return new Refused(UNAVAILABLE);
  }

  /** The JSON of the answer. Throws Unavailable, Rejected. */
  async ask(path, question) {
    const headers = { ...this.headers, 'Content-Type': 'application/json' };
    const sent = { method: 'POST', headers, body: toJson(question) };
    return parsed(await this.exchange(`/access/v1/${path}`, sent));
  }

  /** The SMART configuration of the base, asked for again after five minutes. Throws Unavailable, Rejected. */
  async smartConfiguration() {
    if (this.document.endsAt < performance.now()) {
      const path = `/o/smart-configuration?aud=${encodeURIComponent(this.options.base)}`;
      const body = await this.exchange(path, { headers: this.headers });
      const found = parsed(body);
      if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new Unavailable('no document');
      this.document = { body, endsAt: performance.now() + KEPT_MS };
    }
    return this.document.body;
  }

  /** The body of a right answer, within the time given for all of it. A broken connection is tried twice. */
  async exchange(path, sent) {
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), this.options.seconds * 1000);
    const once = () => this.once(path, { ...sent, redirect: 'manual', signal: ended.signal });
    try {
      return await once().catch((error) => {
        if (!(error instanceof TypeError) || ended.signal.aborted) throw error; // fetch says TypeError of connections
        return once();
      });
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Rejected) throw error;
      if (ended.signal.aborted) throw new Unavailable(`no whole answer within ${this.options.seconds} s`);
      throw new Unavailable(error.cause?.message || error.message || error.name);
    } finally {
      clearTimeout(timer);
      ended.abort(); // of an answer that is not wanted nothing more is read
    }
  }

  async once(path, sent) {
    const answer = await fetch(`${this.options.smartauth}${path}`, sent);
    if ([400, 413].includes(answer.status)) throw new Rejected(`smartauth answered ${answer.status}`);
    if (answer.status === 401) {
      throw new Unavailable(`401, it does not know the client ${this.options.clientId} by this secret`);
    }
    const kind = (answer.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
    if (answer.status !== 200 || kind !== 'application/json' || answer.headers.has('content-encoding')) {
      throw new Unavailable(`${answer.status} as ${kind}`);
    }
    return this.bounded(answer);
  }

  async bounded(answer) {
    const parts = [];
    let length = 0;
    for await (const part of answer.body ?? []) {
      length += part.length;
      if (length > this.options.maxAnswerBytes) throw new Unavailable('the answer is too long');
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}

function parsed(body) {
  try {
    return parseJson(body);
  } catch {
    throw new Unavailable('the answer is no JSON');
  }
}

module.exports = { Asking, Rejected, Unavailable };
