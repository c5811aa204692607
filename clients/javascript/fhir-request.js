'use strict';
// A request as it came: what of it smartauth is asked about (RFC 6750 §2.1; FHIR http §3.2.0).
const { MALFORMED_TOKEN, NO_TOKEN, Refused } = require('./http-answer');

const READ = 'read';
const VERSION = 'vread';
const HISTORY = 'history-instance';
const SEARCH = 'search-type';
const CREATE = 'create';

const COUNT_ALONE = ['_summary=count', '_count=0'];

/**
 * `url` is relative to the base and raw, `form` the body of a search by POST. `authorization`: each such header.
 * `ifNoneExist`: the criteria of a conditional create, of several headers all; null without one. `contentType`: of
 * several headers nothing that could be one.
 */
class FhirRequest {
  constructor({ method, url, authorization = [], ifNoneExist = null, address = '', contentType = '', form = null }) {
    Object.assign(this, { method, url, authorization, ifNoneExist, address, contentType, form });
    const [path, ...query] = url.split('?');
    this.path = path;
    this.query = query.join('?');
    this.segments = path.replace(/^\/+|\/+$/g, '').split('/');
    this.type = this.segments[0];
  }

  /** The same but for what has changed. */
  with(changed) {
    const { path = this.path, query = this.query, ...more } = changed;
    return new FhirRequest({ ...this, ...more, url: query ? `${path}?${query}` : path });
  }

  /** The id that it names, "*" for none. */
  get id() {
    const [, named = '_'] = this.segments;
    return named.startsWith('_') ? '*' : named;
  }

  /** Whether its parameters stand in its body (FHIR search, POST _search). */
  get isSearchByPost() {
    return this.method === 'POST' && this.segments[this.segments.length - 1] === '_search';
  }

  /** Whether nothing says that its body is anything but JSON: the same bytes can be a form, too, and that something else. */
  get hasJson() {
    return /^(application\/(fhir\+)?json[ \t]*(;[^\n]*)?)?$/i.test(this.contentType);
  }

  /** Whether it asks how many there are, and for none of them (FHIR search, _summary and _count). */
  get asksForCount() {
    const pairs = [...new URLSearchParams(`&${this.query}&${this.form ?? ''}`)];
    return pairs.some((pair) => COUNT_ALONE.includes(pair.join('=')));
  }

  /** FHIR's name of what a view can be applied to, "" for anything else. */
  get interaction() {
    const isGet = ['GET', 'HEAD'].includes(this.method);
    const rest = this.segments.slice(1);
    if (/[^A-Za-z0-9._/-]/.test(this.path)) return ''; // no path of these needs more
    if (rest.length === 0) return isGet ? SEARCH : this.method === 'POST' ? CREATE : '';
    if (rest.join('/') === '_search') return this.method === 'POST' ? SEARCH : '';
    if (!isGet || rest[0].startsWith('_')) return '';
    if (rest.length === 1) return READ;
    if (rest[1] !== '_history') return '';
    return rest.length === 2 ? HISTORY : rest.length === 3 ? VERSION : '';
  }

  /** The access token. Throws Refused. */
  token() {
    const shown = this.authorization.join(', ');
    const bearer = /^bearer +([A-Za-z0-9._~+/-]{1,16000}=*)$/i.exec(shown);
    if (!bearer) throw new Refused(/^bearer /i.test(shown) ? MALFORMED_TOKEN : NO_TOKEN);
    return bearer[1];
  }
}

/** The rest of a raw URL below the path of the base; null for one that is elsewhere, or that two may read differently. */
function urlBelow(root, url) {
  if (!url.startsWith(`${root}/`) || /[^!-~]|[\\#]/.test(url)) return null;
  const [path] = url.split('?');
  if (/\/\/|\/(\.|%2e){1,2}(\/|$)/i.test(path)) return null;
  return url.slice(root.length + 1);
}

module.exports = { COUNT_ALONE, CREATE, FhirRequest, HISTORY, READ, SEARCH, VERSION, urlBelow };
