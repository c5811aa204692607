'use strict';
const assert = require('node:assert');
const { after, test } = require('node:test');
const { Enforcement } = require('smartauth-enforcement');
const { Outages } = require('smartauth-enforcement/outages');
const { AMY, answering, ask, observation, startFhir, startSmartauth, yes } = require('./smartauth');

const running = [];
after(() => running.forEach(({ stop }) => stop()));

/** What an app is told where smartauth answers so. */
async function toldWhere(says, options) {
  const smartauth = await startSmartauth(says);
  const fhir = await startFhir(smartauth.url, answering(observation('o', 'amy')), options);
  running.push(smartauth, fhir);
  return { ...(await ask(fhir, '/fhir/Observation/o')), fhir, smartauth };
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const say = (body, status = 200, headers = JSON_TYPE) => (request, response) => response.writeHead(status, headers).end(body);
const WHOLE = '{"decision":true,"context":{}}';
const context = (more) => JSON.stringify({ decision: true, context: { ...yes({ Observation: AMY }).context, ...more } });

for (const [name, says] of [
  ['500', say('{}', 500)],
  ['401 about the caller', say('{}', 401)],
  ['a redirect', (request, response) => {
    if (request.url === '/elsewhere') say(WHOLE)(request, response);
    else say('{}', 303, { ...JSON_TYPE, Location: '/elsewhere' })(request, response);
  }],
  ['HTML', say(WHOLE, 200, { 'Content-Type': 'text/html' })],
  ['nothing', say('')],
  ['bytes that are no text', say(Buffer.from([0x7b, 0xff, 0x7d]))],
  ['a byte order mark', say(`\ufeff${WHOLE}`)],
  ['trailing bytes', say(`${WHOLE}x`)],
  ['a member twice', say('{"decision":false,"decision":true,"context":{}}')],
  ['a member twice, once escaped', say('{"decision":true,"context":{"claims":{"a":1,"\\u0061":2}}}')],
  ['lists in lists without end', say(`{"decision":true,"context":{"claims":{"a":${'['.repeat(500)}${']'.repeat(500)}}}}`)],
  ['NaN', say('{"decision":true,"context":{"claims":{"exp":NaN}}}')],
  ['a compressed body', say(WHOLE, 200, { ...JSON_TYPE, 'Content-Encoding': 'identity' })],
  ['too much', say(`{"decision":true,"context":{"claims":{"a":"${'x'.repeat(1_000_000)}"}}}`)],
  ['decision as text', say('{"decision":"true","context":{}}')],
  ['decision as a number', say('{"decision":1,"context":{}}')],
  ['no decision', say('{"context":{}}')],
  ['a list', say('[{"decision":true}]')],
  ['a no without a status', say('{"decision":false,"context":{}}')],
  ['a no that is 200', say('{"decision":false,"context":{"http":{"status":200},"outcome":{}}}')],
  ['a condition without a view', say('{"decision":true,"context":{"hide":{}}}')],
  ['obligations', say(context({ obligations: [] }))],
  ['a view without hide', say(context({ hide: undefined }))],
  ['a view without sets', say(context({ sets: undefined }))],
  ['an alternative without where', say(context({ view: { Observation: [{ who: 'all' }] } }))],
  ['an alternative with more', say(context({ view: { Observation: [{ who: 'all', where: [], not: [] }] } }))],
  ['someone unknown', say(context({ view: { Observation: [{ who: 'some', where: [] }] } }))],
  ['patients of a set that is not there', say(context({ view: { Observation: [{ who: { compartments_of: 'x' }, where: [] }] } }))],
  ['a compartment of nobody', say(context({ view: { Observation: [{ who: { compartments: ['Group/g'] }, where: [] }] } }))],
  ['a criterion without values', say(context({ view: { Observation: [{ who: 'all', where: [{ name: 'code', values: [] }] }] } }))],
  ['a broken connection, twice', (request, response) => response.destroy()],
]) {
  test(`where smartauth answers with ${name}, nothing is served`, async () => {
    const { status, headers, fhir } = await toldWhere(says);
    assert.deepStrictEqual([status, headers.get('retry-after'), fhir.reached], [503, '5', []]);
  });
}

test('a long text is read in time that grows with its length', async () => {
  const says = JSON.stringify({ decision: true, context: { claims: { scope: `${'a\\"{'.repeat(100_000)}` } } });
  assert.strictEqual((await toldWhere(say(says))).status, 200);
});

test('a question that smartauth calls none is 400', async () => {
  for (const status of [400, 413]) assert.strictEqual((await toldWhere(say('{}', status))).status, 400);
});

for (const [name, answers] of [
  ['too few', []],
  ['too many', [{ decision: true }, { decision: true }]],
  ['text', [{ decision: 'true' }]],
  ['null', [null]],
]) {
  test(`decisions about entries that are not one for each show nothing: ${name}`, async () => {
    const { status, json } = await toldWhere((request, response) => {
      const says = request.url.endsWith('s') ? { evaluations: answers } : yes({ Observation: AMY });
      response.writeHead(200, JSON_TYPE).end(JSON.stringify(says));
    });
    assert.deepStrictEqual([status, json.resourceType], [503, 'OperationOutcome']);
  });
}

test('a question whose connection broke is asked once more', async () => {
  const { status, smartauth } = await toldWhere((request, response, count) => {
    if (count === 1) response.destroy();
    else response.writeHead(200, JSON_TYPE).end(WHOLE);
  });
  assert.deepStrictEqual([status, smartauth.questions.length], [200, 2]);
});

for (const [name, says] of [
  ['never begins', () => {}],
  ['stalls', (request, response) => response.writeHead(200, { ...JSON_TYPE, 'Content-Length': 30 }).write('{')],
  ['trickles', (request, response) => {
    response.writeHead(200, JSON_TYPE);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  }],
]) {
  test(`an answer that ${name} is waited for no longer than was said`, async () => {
    assert.strictEqual((await toldWhere(says, { seconds: 0.3 })).status, 503);
  });
}

test('many questions share a connection', async () => {
  const sockets = new Set();
  const { fhir } = await toldWhere((request, response) => {
    sockets.add(request.socket);
    response.writeHead(200, JSON_TYPE).end(WHOLE);
  });
  for (let count = 0; count < 5; count += 1) await ask(fhir, '/fhir/Observation/o');
  assert.strictEqual(sockets.size, 1);
});

test('the document is kept, and an error is not', async () => {
  let answer = say('{}', 500);
  const { fhir } = await toldWhere((request, response) => answer(request, response));
  const document = async () => (await ask(fhir, '/fhir/.well-known/smart-configuration', { token: null }));
  const refused = await document();
  answer = say('{"issuer":"x"}');
  const found = await document();
  answer = say('{}', 500);
  const kept = await document();

  assert.deepStrictEqual([refused.status, found.json, kept.json], [503, { issuer: 'x' }, { issuer: 'x' }]);
  assert.strictEqual(kept.headers.get('access-control-allow-origin'), '*');
});

test('more entries than one question holds are several questions', async () => {
  const resources = Array.from({ length: 201 }, (_, at) => observation(`o-${at}`, at % 2 ? 'amy' : 'ben'));
  const smartauth = await startSmartauth(yes({ Observation: AMY }));
  const entry = resources.map((resource) => ({ resource }));
  const fhir = await startFhir(smartauth.url, answering({ resourceType: 'Bundle', entry }));
  running.push(smartauth, fhir);
  const { json } = await ask(fhir, '/fhir/Observation');

  assert.deepStrictEqual(smartauth.questions.slice(1).map(({ evaluations }) => evaluations.length), [200, 1]);
  assert.strictEqual(json.entry.length, 100);
});

test('an option that is missing or unknown is said at once', () => {
  const options = { base: 'https://fhir.example.org', smartauth: 'https://auth.example.org', clientId: 'it', clientSecret: 'x' };
  assert.strictEqual(new Enforcement(options).root, '');
  assert.ok(!JSON.stringify(new Enforcement(options)).includes('"x"'));
  for (const wrong of [{ base: '' }, { clientSecret: undefined }, { narrow: 'none' }, { understands: true }]) {
    assert.throws(() => new Enforcement({ ...options, ...wrong }), TypeError);
  }
});

test('the log says why, once in ten seconds, and nothing of the request', async (context) => {
  const warned = context.mock.method(console, 'warn', () => {});

  const { fhir } = await toldWhere(say('{}', 401), { clientId: 'me' });
  await ask(fhir, '/fhir/Observation/o');

  const lines = warned.mock.calls.map((call) => call.arguments.join(' '));
  assert.strictEqual(lines.length, 1);
  assert.match(lines[0], /^smartauth: requests are answered with 503: smartauth at 127\.0\.0\.1:\d+ decided nothing: /);
  assert.match(lines[0], /: 401, it does not know the client me by this secret$/);
});

test('an outage is told again after ten seconds', (context) => {
  const warned = context.mock.method(console, 'warn', () => {});
  const times = [1, 9_999, 10_001];
  const outages = new Outages('http://127.0.0.1:9', () => times.shift());

  for (const reason of ['first', 'second', 'third']) outages.tell(reason);

  assert.deepStrictEqual(warned.mock.calls.map((call) => call.arguments[0].split(' ').at(-1)), ['first', 'third']);
});

test('an outage is told again also where the clock of the machine was put back meanwhile', (context) => {
  const warned = context.mock.method(console, 'warn', () => {});
  context.mock.method(Date, 'now', () => Date.parse('2020-01-01')); // no time passes by it
  const passed = context.mock.method(performance, 'now', () => 1);
  const outages = new Outages('http://127.0.0.1:9');

  outages.tell('first');
  passed.mock.mockImplementation(() => 10_001);
  outages.tell('second');

  assert.deepStrictEqual(warned.mock.calls.map((call) => call.arguments[0].split(' ').at(-1)), ['first', 'second']);
});
