// Express that lets smartauth decide about every request. Run it: npm ci && node server.js
import express from 'express';
import { Enforcement, middleware } from 'smartauth-enforcement';

const { FHIR_BASE, UPSTREAM, PORT } = process.env;
const app = express();

// The part to copy: before body parsers, and before every route that serves records.
app.use(middleware(Enforcement.fromEnvironment()));

// Your server. This one passes what smartauth lets through to a FHIR server behind it, which knows no tokens.
app.get(/./, async (request, response) => {
  const answer = await fetch(new URL(request.originalUrl, UPSTREAM), { redirect: 'manual' });
  const body = Buffer.from(await answer.arrayBuffer());
  response.status(answer.status).type('application/fhir+json').send(body);
});

app.listen(Number(PORT || new URL(FHIR_BASE).port || 80), '127.0.0.1');
