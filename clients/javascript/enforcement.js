'use strict';
// Which FHIR base is protected, by which smartauth, and how.

const NARROW = ['patient', 'compartment', 'app'];

class Enforcement {
  /** See index.d.ts for what each option means. Throws TypeError for one that is missing or does not exist. */
  constructor(options) {
    const { base, smartauth, clientId, clientSecret, narrow = 'patient', ...rest } = options;
    const { seconds = 3, maxAnswerBytes = 1_000_000, public: open = [], tellsAddresses = false, trustsCounts = false, ...unknown } = rest;
    const texts = { base, smartauth, clientId, clientSecret };
    for (const [name, value] of Object.entries(texts)) {
      if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is missing`);
    }
    if (!NARROW.includes(narrow)) throw new TypeError(`narrow is none of ${NARROW.join(', ')}`);
    if (Object.keys(unknown).length) throw new TypeError(`there is no option ${Object.keys(unknown).join(', ')}`);
    Object.assign(this, texts, { narrow, seconds, maxAnswerBytes, public: open, tellsAddresses, trustsCounts });
    this.root = new URL(base).pathname.replace(/\/+$/, '');
    Object.defineProperty(this, 'clientSecret', { enumerable: false });
    Object.freeze(this);
  }

  /** With what `fhir-server add --env` prints: FHIR_BASE, INTROSPECT, CLIENT_ID, CLIENT_SECRET. */
  static fromEnvironment(options = {}) {
    const { FHIR_BASE: base, INTROSPECT = '', CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
    return new Enforcement({ base, smartauth: INTROSPECT.replace(/\/o\/introspect$/, ''), clientId, clientSecret, ...options });
  }
}

exports.Enforcement = Enforcement;
