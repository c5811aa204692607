'use strict';
// JSON that has one meaning only: no name twice, UTF-8, not nested without end (RFC 8259 §4, §8.1, §9).

const { randomBytes } = require('node:crypto');

const MAX_DEPTH = 200;
// A number that JavaScript cannot hold as it is written is a text with this before it: nobody else can write that.
const MARK = randomBytes(16).toString('hex');
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What these bytes say. Throws where they are no such JSON. */
function parseJson(bytes) {
  const text = utf8.decode(bytes);
  const found = JSON.parse(text);
  requireOneMeaning(text);
  const marked = withMarks(text);
  return marked === text ? found : JSON.parse(marked);
}

/** JSON of what parseJson gave, whole or in parts: 1.50 is 1.50 again (FHIR datatypes, decimal). */
function toJson(content) {
  return JSON.stringify(content).replace(MARKED, '$1');
}

function withMarks(text) {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (part) =>
    part[0] === '"' || /^-?\d{1,15}$/.test(part) ? part : `"${MARK}${part}"`);
}

/** Of a text that is JSON. A string before a colon is a name, wherever it stands. Throws SyntaxError. */
function requireOneMeaning(text) {
  const open = []; // the names of each object or list
  for (const [token, name, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new SyntaxError('nested too deep');
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      const names = open[open.length - 1];
      if (names.size === names.add(JSON.parse(name)).size) throw new SyntaxError('a name stands twice in an object');
    }
  }
}

module.exports = { parseJson, toJson };
