'use strict';
const assert = require('node:assert');
const http = require('node:http');
const { after, test } = require('node:test');
const { ALL, AMY, HIDE, answering, ask, observation, startFhir, startSmartauth, yes } = require('./smartauth');

const running = [];
after(() => running.forEach(({ stop }) => stop()));

/** A FHIR server with that handler, and a smartauth that says that. */
async function start(says, handler = answering({}), options) {
  const smartauth = await startSmartauth(says);
  const fhir = await startFhir(smartauth.url, handler, options);
  running.push(smartauth, fhir);
  return { fhir, smartauth };
}

const MINE = observation('o-amy', 'amy');
const OTHERS = observation('o-ben', 'ben');
const bundleOf = (...resources) => ({
  resourceType: 'Bundle', type: 'searchset', total: 7, link: [{ relation: 'self', url: 'x' }], id: 'ben',
  entry: resources.map((resource) => ({ fullUrl: resource.id, resource, search: { mode: 'match' } })),
});

test('a whole yes reaches the server as it came, and its answer the app', async () => {
  const { fhir, smartauth } = await start({ decision: true, context: { claims: { sub: 's' } } }, answering(OTHERS));
  const answer = await ask(fhir, '/fhir/Observation/o-ben?x=1', { headers: { 'If-None-Match': 'W/"0"' } });

  assert.deepStrictEqual([answer.status, answer.json, answer.headers.get('x-secret')], [200, OTHERS, 'ben']);
  assert.strictEqual(fhir.reached[0].headers['if-none-match'], 'W/"0"');
  assert.strictEqual(smartauth.questions[0].authorization, `Basic ${btoa('it:a%20secret')}`);
  assert.deepStrictEqual(smartauth.questions[0].subject, { type: 'access_token', id: 'abc' });
  assert.deepStrictEqual(smartauth.questions[0].context, {
    base: 'https://fhir.example.org/fhir',
    http: { method: 'GET', url: 'Observation/o-ben?x=1' },
    understands: ['fhir-view/1'],
  });
});

test('a no is told as smartauth says, and reaches nobody', async () => {
  const headers = { 'WWW-Authenticate': 'Bearer error="insufficient_scope"', 'X-Other': 'x' };
  const outcome = { resourceType: 'OperationOutcome' };
  const { fhir } = await start({ decision: false, context: { http: { status: 403, headers }, outcome } });
  const answer = await ask(fhir, '/fhir/Observation/o');

  assert.deepStrictEqual([answer.status, answer.json], [403, outcome]);
  assert.strictEqual(answer.headers.get('www-authenticate'), headers['WWW-Authenticate']);
  assert.strictEqual(answer.headers.get('x-other'), null);
  assert.deepStrictEqual(fhir.reached, []);
});

for (const [name, path, options, status, challenge] of [
  ['no token', '/fhir/Patient', { token: null }, 401, 'Bearer'],
  ['another scheme', '/fhir/Patient', { token: null, headers: { Authorization: 'Basic eDp5' } }, 401, 'Bearer'],
  ['a malformed token', '/fhir/Patient', { token: 'a b' }, 401, 'Bearer error="invalid_token"'],
  ['a path that is not below the base', '/fhirs/Patient', {}, 404, null],
  ['the base without a slash', '/fhir', {}, 404, null],
  ['a slash too many, behind which a server may find a host', '/fhir//Patient/amy', {}, 404, null],
]) {
  test(`${name}: nobody is asked`, async () => {
    const { fhir, smartauth } = await start(yes({ Patient: AMY }));
    const answer = await ask(fhir, path, options);

    assert.deepStrictEqual([answer.status, answer.headers.get('www-authenticate')], [status, challenge]);
    assert.strictEqual(answer.json.resourceType, 'OperationOutcome');
    assert.deepStrictEqual([fhir.reached, smartauth.questions], [[], []]);
  });
}

test('two Authorization headers are one malformed token', async () => {
  const { fhir } = await start(yes({ Patient: AMY }));
  const headers = new Headers([['Authorization', 'Bearer a'], ['Authorization', 'Bearer b']]);
  const answer = await fetch(`${fhir.url}/fhir/Patient/amy`, { headers });
  assert.strictEqual(answer.status, 401);
});

test('what is open to everybody needs no token, and a bad one does no harm', async () => {
  const { fhir } = await start(yes({}), answering({ resourceType: 'CapabilityStatement' }), { public: ['open'] });
  for (const path of ['metadata', 'open']) {
    assert.strictEqual((await ask(fhir, `/fhir/${path}`, { token: null })).status, 200);
    assert.strictEqual((await ask(fhir, `/fhir/${path}`, { method: 'POST', token: null })).status, 401);
  }
});

test('a record that is not in view is answered word for word like one that never was', async () => {
  const others = await start(yes({ Observation: AMY }), answering(OTHERS));
  const nobodys = await start(yes({ Observation: AMY }), answering({ resourceType: 'OperationOutcome', id: 'x' }, 404));
  const gone = await start(yes({ Observation: AMY }), answering({ resourceType: 'OperationOutcome', id: 'x' }, 410));
  const [one, ...more] = await Promise.all([others, nobodys, gone].map(({ fhir }) => ask(fhir, '/fhir/Observation/o')));

  for (const answer of [one, ...more]) {
    assert.deepStrictEqual([answer.status, answer.json], [404, HIDE.outcome]);
    assert.deepStrictEqual([...answer.headers.keys()].sort(), [...one.headers.keys()].sort());
  }
});

test('a record in view is shown, and smartauth sees of it what it asked for', async () => {
  const { fhir, smartauth } = await start(yes({ Observation: AMY }), answering(MINE));
  const answer = await ask(fhir, '/fhir/Observation/o-amy', {
    headers: {
      'If-None-Match': 'W/"1"', 'If-Match': 'W/"2"', Range: 'bytes=0-1', 'If-Unmodified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT',
    },
  });

  assert.deepStrictEqual([answer.status, answer.json], [200, MINE]);
  assert.deepStrictEqual([answer.headers.get('etag'), answer.headers.get('x-secret')], ['W/"1"', null]);
  const conditions = ['if-none-match', 'if-match', 'if-unmodified-since', 'range'];
  assert.deepStrictEqual(conditions.filter((name) => name in fhir.reached[0].headers), []);
  const [{ action, resource }] = smartauth.questions[1].evaluations;
  const { note, ...content } = MINE;
  assert.deepStrictEqual(action, { name: 'read' });
  assert.deepStrictEqual(resource.properties, { base: 'https://fhir.example.org/fhir', content });
});

test('headers that a handler flushes wait for the check too', async () => {
  const { fhir } = await start(yes({ Observation: AMY }), (request, response) => {
    response.flushHeaders();
    response.write(JSON.stringify(OTHERS).slice(0, 9), 'utf8', () => response.end(JSON.stringify(OTHERS).slice(9)));
  });
  assert.strictEqual((await ask(fhir, '/fhir/Observation/o')).status, 404);
});

test('a HEAD is answered as the GET that it stands for', async () => {
  const { fhir } = await start(yes({ Observation: AMY }), (request, response) => {
    answering(request.headers.other ? OTHERS : MINE)(request, response);
  });
  const [mine, others] = [await ask(fhir, '/fhir/Observation/o', { method: 'HEAD' }),
    await ask(fhir, '/fhir/Observation/o', { method: 'HEAD', headers: { other: '1' } })];

  assert.deepStrictEqual([mine.status, mine.json, others.status], [200, null, 404]);
  assert.strictEqual(fhir.reached[0].method, 'GET');
});

test('a search is narrowed, filtered entry by entry, and counts nothing that was dropped', async () => {
  const { fhir, smartauth } = await start(yes({ Observation: AMY }), answering(bundleOf(MINE, OTHERS)));
  const answer = await ask(fhir, '/fhir/Observation?code=x&_elements=id&_summary=true&_format=xml');

  assert.strictEqual(fhir.reached[0].url, '/fhir/Observation?code=x&patient=Patient%2Famy');
  const entry = [{ fullUrl: 'o-amy', resource: MINE, search: { mode: 'match' } }];
  assert.deepStrictEqual(answer.json, { resourceType: 'Bundle', type: 'searchset', entry });
  assert.strictEqual(answer.headers.get('etag'), null);
  assert.deepStrictEqual(smartauth.questions[1].evaluations.map(({ action }) => action.name), ['search-type', 'search-type']);
});

for (const number of ['72.50', '1.0E-22', '3.14159265358979323846264338327950288', '9007199254740993']) {
  test(`a decimal is as precise as it was: ${number}`, async () => {
    const weight = JSON.stringify({ ...MINE, valueQuantity: { value: '?' } }).replace('"?"', number);
    const searched = `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":${weight}}]}`;
    for (const [path, says] of [['o-amy', weight], ['', searched]]) {
      const { fhir } = await start(yes({ Observation: AMY }), answering(says));
      const { text } = await ask(fhir, `/fhir/Observation/${path}`);
      assert.ok(text.includes(`"value":${number}`), text);
    }
  });
}

for (const [name, view, options, total] of [
  ['of a server that is known', AMY, { trustsCounts: true }, 7],
  ['of a type that is open', ALL, {}, 7],
  ['that no page shows', AMY, {}, undefined],
]) {
  test(`a search of which nothing was dropped keeps its pages; its count: ${name}`, async () => {
    const { fhir } = await start(yes({ Observation: view }), answering(bundleOf(MINE)), options);
    const { json } = await ask(fhir, '/fhir/Observation');
    assert.deepStrictEqual([json.total, json.link, json.id], [total, [{ relation: 'self', url: 'x' }], undefined]);
  });
}

for (const how of ['_summary=count', '_count=0']) {
  for (const [resources, total] of [[[MINE], 1], [[MINE, OTHERS], undefined], [[], 0]]) {
    test(`what is counted is seen first: ${how} of ${resources.length}`, async () => {
      const { fhir } = await start(yes({ Observation: AMY }), answering({ ...bundleOf(...resources), total: resources.length }));
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const asked = [await ask(fhir, `/fhir/Observation?${how}`),
        await ask(fhir, '/fhir/Observation/_search', { method: 'POST', headers, body: how })];

      for (const { json } of asked) {
        assert.deepStrictEqual(json, { resourceType: 'Bundle', type: 'searchset', ...(total === undefined ? {} : { total }) });
      }
      assert.deepStrictEqual(fhir.reached.map(({ url }) => url), Array(2).fill('/fhir/Observation?patient=Patient%2Famy'));
    });
  }
}

test('of a type that is open nothing else that comes along is shown', async () => {
  const along = { resourceType: 'Patient', id: 'ben' };
  const { fhir, smartauth } = await start(yes({ Observation: ALL }), answering(bundleOf(OTHERS, along)));
  const { json } = await ask(fhir, '/fhir/Observation');
  assert.deepStrictEqual([json.entry.map(({ resource }) => resource.id), smartauth.questions.length], [['o-ben'], 1]);
});

test('of more patients than can be listed each record is asked about', async () => {
  const many = [{ who: { unlisted_compartments: 15000 }, where: [] }];
  const { fhir } = await start(yes({ Observation: many }), (request, response) => {
    answering(request.url.endsWith('o-amy') ? MINE : OTHERS)(request, response);
  });
  const [mine, others, search] = await Promise.all(['/o-amy', '/o-ben', ''].map((id) => ask(fhir, `/fhir/Observation${id}`)));

  assert.deepStrictEqual([mine.status, others.status, search.status], [200, 404, 403]);
  assert.match(search.json.issue[0].diagnostics, /more patients/);
  assert.strictEqual(fhir.reached.length, 2);
});

test('the criteria of a conditional create are told, of each such header', async () => {
  const { fhir, smartauth } = await start({ decision: true, context: {} }, answering(MINE, 201));
  const headers = { 'Content-Type': 'application/json', 'If-None-Exist': 'subject.name=x', If_None_Exist: 'code=y' };
  await ask(fhir, '/fhir/Observation', { method: 'POST', headers, body: '{}' });
  assert.strictEqual(smartauth.questions[0].context.http.if_none_exist.split('&').sort().join('&'), 'code=y&subject.name=x');
});

for (const says of [{ decision: true, context: {} }, yes({ Observation: AMY })]) {
  test(`the body of a GET is not passed on: ${'view' in says.context}`, async () => {
    const { fhir } = await start(says, (request, response) => {
      let got = '';
      request.on('data', (part) => { got += part; });
      setImmediate(() => answering({ ...MINE, note: got })(request, response));
    });
    const text = await new Promise((resolve) => {
      const body = '_has:Provenance:target:agent=x';
      const options = { headers: { Authorization: 'Bearer abc', 'Content-Length': body.length } };
      const asked = http.request(`${fhir.url}/fhir/Observation/o-amy`, options, async (answer) => {
        const parts = [];
        for await (const part of answer) parts.push(part);
        resolve(Buffer.concat(parts).toString());
      });
      asked.end(body);
    });
    assert.strictEqual(JSON.parse(text).note, '');
    assert.deepStrictEqual([fhir.reached[0].headers['content-length'], fhir.reached[0].body], [undefined, undefined]);
  });
}

test('what comes along is shown by its own view, and nothing of a type without one', async () => {
  const practitioner = { resourceType: 'Practitioner', id: 'p' };
  const outcome = { resourceType: 'OperationOutcome', id: 'ben' };
  const included = { resourceType: 'Patient', id: 'ben', subject: { reference: 'Patient/amy' } };
  const { fhir } = await start(
    yes({ Observation: AMY, Practitioner: ALL, Patient: [] }), answering(bundleOf(MINE, practitioner, outcome, included)),
  );
  const { json } = await ask(fhir, '/fhir/Observation?_include=Observation:performer');
  assert.deepStrictEqual(json.entry.map(({ resource }) => resource.id), ['o-amy', 'p']);
});

test('a question mark before a name stays a part of it', async () => {
  const { fhir, smartauth } = await start(yes({ Patient: AMY }), answering(bundleOf()));
  await ask(fhir, '/fhir/Patient??_has:Observation:subject:code=x');

  assert.strictEqual(smartauth.questions[0].context.http.url, 'Patient??_has:Observation:subject:code=x');
  assert.strictEqual(fhir.reached[0].url, '/fhir/Patient?%3F_has%3AObservation%3Asubject%3Acode=x&_id=amy');
});

test('a search by POST becomes a GET with its form', async () => {
  const { fhir, smartauth } = await start(yes({ Observation: AMY }), answering(bundleOf(MINE)));
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  await ask(fhir, '/fhir/Observation/_search?a=1', { method: 'POST', headers, body: 'code=x%7Cy' });

  assert.strictEqual(smartauth.questions[0].context.http.form, 'code=x%7Cy');
  const { method, url, body } = fhir.reached[0];
  assert.deepStrictEqual([method, url, body], ['GET', '/fhir/Observation?a=1&code=x%7Cy&patient=Patient%2Famy', undefined]);
});

test('a new record is stored where it may be, and its body is there for handlers', async () => {
  const { fhir } = await start(yes({ Observation: AMY }), answering(MINE, 201));
  const headers = { 'Content-Type': 'application/fhir+json', 'X-Provenance': '{}' };
  const create = (body) => ask(fhir, '/fhir/Observation', { method: 'POST', headers, body });

  assert.strictEqual((await create(JSON.stringify(MINE))).status, 201);
  assert.strictEqual((await create(JSON.stringify(OTHERS))).status, 403);
  for (const before of ['', '#/', 'a:/', 'urn:x/', 'https://elsewhere.example.org/fhir/']) {
    for (const mark of ['?', '%3F']) { // HAPI FHIR cuts off what stands before the type
      const search = { focus: [{ reference: `${before}Patient${mark}identifier=1` }] };
      assert.strictEqual((await create(JSON.stringify({ ...MINE, ...search }))).status, 403);
    }
  }
  assert.strictEqual((await create('{"resourceType":"Observation","resourceType":"Patient"}')).status, 400);
  assert.strictEqual((await create('{')).status, 400);
  assert.deepStrictEqual(fhir.reached.map(({ body }) => body), [MINE]);
  assert.ok(!('x-provenance' in fhir.reached[0].headers)); // a server would store it beside the record
});

for (const [kind, status] of [['application/json', 201], ['Application/FHIR+json ; charset=utf-8', 201], ['', 201],
  ['application/x-www-form-urlencoded', 415], ['multipart/form-data; boundary=b', 415], ['application/xml', 415],
  ['application/jsonx', 415], ['application/json, text/plain', 415], ['text/plain', 415]]) {
  test(`a new record is JSON and said to be nothing else: "${kind}"`, async () => {
    const { fhir } = await start(yes({ Observation: AMY }), answering(MINE, 201));
    const body = Buffer.from(JSON.stringify(MINE)); // to which fetch gives no type of its own
    const headers = kind ? { 'Content-Type': kind } : {};
    assert.strictEqual((await ask(fhir, '/fhir/Observation', { method: 'POST', headers, body })).status, status);
    assert.strictEqual(fhir.reached.length, status === 201 ? 1 : 0);
  });
}

for (const [method, path] of [['PUT', 'Observation/o'], ['DELETE', 'Observation/o'], ['PATCH', 'Observation/o'],
  ['GET', 'Observation/_history'], ['GET', 'Observation/o/$op'], ['GET', 'Observation/%6f']]) {
  test(`a yes with conditions that nobody can apply is a no: ${method} ${path}`, async () => {
    const { fhir } = await start(yes({ Observation: AMY }), answering(MINE));
    assert.strictEqual((await ask(fhir, `/fhir/${path}`, { method })).status, 403);
    assert.deepStrictEqual(fhir.reached, []);
  });
}

test('a history is counted by what is shown, and is whole or none', async () => {
  const history = (relation) => ({ ...bundleOf(MINE, OTHERS), type: 'history', link: [{ relation, url: 'x' }] });
  const whole = await start(yes({ Observation: AMY }), answering(history('self')));
  const cut = await start(yes({ Observation: AMY }), answering(history('next')));
  const { json } = await ask(whole.fhir, '/fhir/Observation/o/_history?_count=1');

  assert.deepStrictEqual([json.type, json.total, json.entry.length, json.link], ['history', 1, 1, undefined]);
  assert.strictEqual(whole.fhir.reached[0].url, '/fhir/Observation/o/_history');
  assert.strictEqual((await ask(cut.fhir, '/fhir/Observation/o/_history')).status, 403);
});

test('an error of the server keeps its status and loses its words', async () => {
  const { fhir } = await start(yes({ Observation: AMY }), answering({ resourceType: 'OperationOutcome', id: 'ben' }, 422));
  const answer = await ask(fhir, '/fhir/Observation');
  assert.deepStrictEqual([answer.status, JSON.stringify(answer.json).includes('ben')], [422, false]);
});

for (const [name, handler] of [
  ['no JSON', (request, response) => response.end('<ben/>')],
  ['a redirect', (request, response) => response.writeHead(302, { Location: '/ben' }).end()],
  ['nothing', (request, response) => response.end()],
]) {
  test(`an answer under a view that cannot be checked is never shown: ${name}`, async () => {
    const { fhir } = await start(yes({ Observation: AMY }), handler);
    const answer = await ask(fhir, '/fhir/Observation/o');
    assert.deepStrictEqual([answer.status, answer.headers.get('location')], [500, null]);
  });
}

test('headers that make a server do something else do not arrive', async () => {
  const { fhir } = await start({ decision: true, context: {} }, answering(MINE));
  const another = { 'X-HTTP-Method-Override': 'DELETE', X_HTTP_Method: 'DELETE', 'X-Original-URL': '/x' };
  const headers = { ...another, 'X-Cascade': 'delete', 'X-Provenance': '{}', 'X-Other': '1' };
  await ask(fhir, '/fhir/Observation/o', { headers });
  const arrived = Object.keys(fhir.reached[0].headers).filter((name) => name.startsWith('x'));
  assert.deepStrictEqual(arrived, ['x-other']);
});

const VITAL = { name: 'category', values: ['v', 'w'] };
const OF_AMY = { who: { compartments: ['Patient/amy'] }, where: [] };
for (const [name, type, view, options, url] of [
  ['a criterion', 'Observation', [{ ...OF_AMY, where: [VITAL] }], {}, 'Observation?category=v%2Cw&patient=Patient%2Famy'],
  ['a Patient', 'Patient', [OF_AMY], {}, 'Patient?_id=amy'],
  ['a compartment', 'Observation', [OF_AMY], { narrow: 'compartment' }, 'Patient/amy/Observation'],
  ['by the app', 'Observation', [OF_AMY], { narrow: 'app' }, 'Observation'],
  ['several patients', 'Observation', [{ who: { compartments_of: '$user' }, where: [] }], {},
    'Observation?patient=Patient%2Famy%2CPatient%2Fcy'],
  ['one owner by two criteria', 'Observation', [{ ...OF_AMY, where: [VITAL] },
    { ...OF_AMY, where: [{ name: 'category', values: ['x'] }] }], {}, 'Observation?category=v%2Cw%2Cx&patient=Patient%2Famy'],
  ['the own record', 'Practitioner', [{ who: { self: 'Practitioner/p' }, where: [] }], {}, 'Practitioner?_id=p'],
]) {
  test(`a search is narrowed to its view: ${name}`, async () => {
    const { fhir } = await start(yes({ [type]: view }, { sets: { $user: ['amy', 'cy'] } }), answering(bundleOf()), options);
    await ask(fhir, `/fhir/${type}`);
    assert.deepStrictEqual(fhir.reached.map((one) => one.url), [`/fhir/${url}`]);
  });
}

test('a view that is no single search is refused, and one of nothing finds nothing', async () => {
  const several = [{ ...OF_AMY, where: [VITAL] }, { who: { compartments_of: '$user' }, where: [] }];
  const { fhir } = await start(yes({ Observation: several, Condition: [] }, { sets: { $user: ['cy'] } }));
  const [refused, nothing] = [await ask(fhir, '/fhir/Observation'), await ask(fhir, '/fhir/Condition')];
  assert.deepStrictEqual([refused.status, nothing.status, nothing.json.total], [403, 200, 0]);
  assert.deepStrictEqual(fhir.reached, []);
});
