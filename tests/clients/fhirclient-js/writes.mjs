// fhirclient and fhir-kit-client live a resource's whole life: created, read, changed, found, deleted, gone. A step a line.
import { Client } from "fhir-kit-client";
import smart from "fhirclient";

const [baseUrl, token] = process.argv.slice(2);
const resourceType = "Observation";
const observation = (code, patient = "amy") => ({
  resourceType,
  status: "preliminary",
  code: { coding: [{ system: "urn:example", code }] },
  subject: { reference: `Patient/${patient}` },
});

const fhirclient = smart({ headers: {} }, {}).client({ serverUrl: baseUrl, tokenResponse: { access_token: token } });
const kit = new Client({ baseUrl, bearerToken: token });
const libraries = {
  fhirclient: {
    create: (body) => fhirclient.create(body),
    read: (id) => fhirclient.request({ url: `${resourceType}/${id}` }),
    update: (body) => fhirclient.update(body),
    search: (code) => fhirclient.request(`${resourceType}?patient=amy&code=urn:example|${code}`),
    delete: (id) => fhirclient.delete(`${resourceType}/${id}`),
    status: (error) => error.status,
  },
  "fhir-kit-client": {
    create: (body) => kit.create({ resourceType, body }),
    read: (id) => kit.read({ resourceType, id }),
    update: (body) => kit.update({ resourceType, id: body.id, body }),
    search: (code) => kit.search({ resourceType, searchParams: { patient: "amy", code: `urn:example|${code}` } }),
    delete: (id) => kit.delete({ resourceType, id }),
    status: (error) => error.response.status,
  },
};

const refused = (library, request) => request.then(() => "nothing", (error) => library.status(error));

for (const [name, library] of Object.entries(libraries)) {
  const say = (step, ...what) => console.log(`${name} ${step}: ${what.join(" ")}`);
  const { id, meta } = await library.create(observation(name));
  say("created", "version", meta.versionId);
  const read = await library.read(id);
  say("read", read.status);
  say("updated", "version", (await library.update({ ...read, status: "final" })).meta.versionId);
  const { total, entry } = await library.search(name);
  say("found", total, entry[0].resource.status, entry[0].resource.id === id);
  await library.delete(id);
  say("gone", await refused(library, library.read(id)));
  say("of another", await refused(library, library.create(observation(name, "ben"))));
  say("hidden", await refused(library, library.update({ ...observation(name), id: "ben-hba1c-1" })));
}
