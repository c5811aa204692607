// The sample app of /demo. It knows the server only over HTTP, and what servers say reaches the page as text alone.
"use strict";

(() => {
  const app = document.getElementById("app");
  const { step, issuer, elsewhere, callback } = app.dataset;
  const bases = [...app.querySelectorAll("a[data-base]")];
  let { base } = app.dataset; // after a launch it is that of the token
  const OLD = "smartauth-demo-old-token";
  const STEPS = { start: 0, launch: 1, callback: 2 };
  const CLAIMS = {
    iss: "who issued it", aud: "the one FHIR server it is good for", sub: "the person, by a number without meaning",
    client_id: "the app", iat: "when it was issued", jti: "its number; revoked by it", patient: "the record it is about",
    encounter: "the visit it is about", fhirUser: "who signed in", scope: "what it allows", intent: "why the EHR started the app",
  };
  const GENERIC = {
    200: "The token allows it.",
    401: "The token is not good here, or no longer: it lives a few minutes. Start again for a new one.",
    403: "The token is good, but no scope of it allows this.",
    404: "Nothing that this token may know about.",
    503: "The FHIR server could not ask about the token, so it lets nobody in.",
  };
  const OTHER_TYPES = [["Condition", "Health problems"], ["Encounter", "Visits"]];

  // The page -------------------------------------------------------------------------------------------------------

  const found = (id) => document.getElementById(id);

  function node(name, text = "", attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function show(id) {
    for (const section of app.querySelectorAll(":scope > section")) section.hidden = section.id !== id;
  }

  function reach(number) {
    [...found("steps").children].forEach((item, index) => {
      if (index === number) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }

  function wait(text) {
    found("waiting-for").textContent = text;
    show("waiting");
  }

  function trouble(text) {
    found("trouble-why").textContent = text;
    document.title = "Error: " + document.title.replace(/^Error: /, "");
    show("trouble");
  }

  function facts(list, pairs) {
    const rows = pairs.filter(([, value]) => value).map(([name, value, plain]) => {
      const row = node("div"), data = node("dd");
      data.append(plain ? value : node("code", value));
      row.append(node("dt", name), data);
      return row;
    });
    list.replaceChildren(...rows);
  }

  // Launching ------------------------------------------------------------------------------------------------------

  async function authorize(options) {
    reach(1);
    wait("On the way to the page that asks for your leave …");
    await FHIR.oauth2.authorize({ redirectUri: callback, iss: base, pkceMode: "required", completeInTarget: true, ...options });
  }

  const ticked = () => [...document.querySelectorAll("[name=scope]:checked")].map((tick) => tick.value);

  const option = (client) => [...document.querySelectorAll("#client option")].find((each) => each.value === client);

  function chosen(client) {
    return { clientId: client, clientSecret: option(client)?.dataset.secret || undefined };
  }

  function start() {
    show("start");
    found("launch-form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.removeItem(OLD);
      authorize({ ...chosen(found("client").value), scope: ticked().join(" ") }).catch((error) => trouble(error.message));
    });
  }

  async function launched() {
    const parameters = new URLSearchParams(location.search);
    const iss = (parameters.get("iss") || "").replace(/\/$/, "");
    if (iss !== base) return trouble(`This app knows ${known().join(", ")}, and was launched for another one or for none.`);
    if (!parameters.get("launch")) return trouble("An EHR launches an app with a launch parameter, and there is none.");
    const client = parameters.get("client") || "demo-public";
    if (!option(client)) return trouble(`This app cannot be the client ${client}: it has nothing to prove that with, or may not ask for this FHIR server.`);
    sessionStorage.removeItem(OLD);
    const scopes = ticked().filter((scope) => scope !== "launch/patient");
    await authorize({ ...chosen(client), scope: ["launch", ...scopes].join(" ") });
  }

  async function returned() {
    const parameters = new URLSearchParams(location.search);
    const from = parameters.get("iss");
    if (from !== null && from !== issuer) return trouble("The answer came from another server than the one that was asked (RFC 9207).");
    if (parameters.get("error") === "access_denied") return show("refused");
    if (parameters.get("error")) {
      return trouble(`The server answered ${parameters.get("error")}: ${parameters.get("error_description") || "no more was said"}.`);
    }
    parameters.delete("iss"); // fhirclient would take it for the FHIR server of the next launch
    history.replaceState({}, "", `${location.pathname}?${parameters}`);
    wait("Getting the token …");
    const client = await FHIR.oauth2.ready();
    if (!client.state.tokenResponse?.access_token) return trouble("There is no token yet.");
    if (!known().includes(client.state.serverUrl)) return trouble("The token is for a FHIR server that this app does not know.");
    base = client.state.serverUrl;
    for (const link of app.querySelectorAll('a[href="/demo"]')) link.href = chip().href;
    await use(client);
  }

  const known = () => bases.map((each) => each.dataset.base);

  const chip = () => bases.find((each) => each.dataset.base === base);

  // Asking the FHIR server -------------------------------------------------------------------------------------------

  async function ask(url, token, method = "GET") {
    const headers = { Accept: "application/fhir+json, application/json+fhir" }; // the second one is DSTU2's
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(url, { method, headers, credentials: "omit", cache: "no-store" });
    const text = await response.text();
    const { pathname, search } = new URL(url);
    return {
      asked: `${method} ${pathname}${decodeURIComponent(search)}`, status: response.status, text,
      challenge: response.headers.get("WWW-Authenticate"), body: parsed(text),
    };
  }

  function parsed(text) {
    try { return JSON.parse(text); } catch { return null; }
  }

  function said(answer) {
    const lines = [answer.asked];
    if (answer.challenge) lines.push(`WWW-Authenticate: ${answer.challenge}`);
    if (answer.body?.resourceType === "OperationOutcome") lines.push(answer.text);
    return node("pre", lines.join("\n"), { tabindex: "0", "aria-label": "Request and answer" });
  }

  function status(answer) {
    const good = answer.status < 300;
    const tag = node("span", "", { class: good ? "tag tag-good" : "tag tag-bad" });
    tag.append(icon(good ? "yes" : "no"), ` ${answer.status}`);
    return tag;
  }

  function icon(name) {
    const drawn = document.querySelector("header svg.i").cloneNode(true), use = drawn.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
    return drawn;
  }

  // The token -------------------------------------------------------------------------------------------------------

  async function use(client) {
    reach(2);
    const state = client.state, token = () => state.tokenResponse.access_token;
    drawToken(state);
    leftOut(state);
    await drawPerson(state.tokenResponse);
    await drawRecord(state, token());
    show("result");
    offerBreaking(client, token);
    await superseded(target(state), sessionStorage.getItem(OLD), token());
  }

  function drawToken(state) {
    const answer = state.tokenResponse, until = new Date(state.expiresAt * 1000).toLocaleTimeString("en-GB");
    facts(found("token-answer"), [
      ["patient", answer.patient], ["encounter", answer.encounter], ["scope", answer.scope],
      ["expires_in", `${answer.expires_in} (until ${until})`, true],
      ["refresh_token", answer.refresh_token ? "yes; the app can get new tokens by itself" : "none; offline_access was not granted", true],
      ["id_token", answer.id_token ? "yes; it tells who signed in" : "", true],
    ]);
    found("decoded").querySelector("pre").replaceChildren(...decoded(answer.access_token));
  }

  async function drawPerson({ id_token: idToken, access_token: token }) {
    const who = idToken ? part(idToken.split(".")[1])?.fhirUser : "";
    if (!who) return;
    const answer = await ask(who, token);
    const name = answer.status === 200 ? named(answer.body) : "";
    facts(found("person"), [["Signed in", name || "the name is not told", true], ["fhirUser", who.replace(`${base}/`, "")]]);
    found("person").hidden = false;
  }

  function named(resource) {
    const [name] = [resource?.name ?? []].flat(); // DSTU2: a practitioner has one name, which may have several families
    if (!name) return "";
    return name.text || [name.prefix, name.given, name.family].flat().filter(Boolean).join(" ");
  }

  function decoded(token) {
    const [header, payload] = token.split(".").slice(0, 2).map(part);
    if (!header || !payload) return [node("span", "This token is opaque: only the server that issued it knows what it says.")];
    const lines = [JSON.stringify(header), "\n{\n"];
    for (const [name, value] of Object.entries(payload)) {
      const shown = name === "jti" ? `${String(value).slice(0, 4)}…` : value;
      lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify(shown)},  `, node("i", word(name, payload)), "\n");
    }
    return [...lines, "}"];
  }

  function part(text) {
    try {
      const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch { return null; }
  }

  function word(name, payload) {
    if (name === "exp") return `when it ends: ${payload.exp - payload.iat} seconds after it was issued`;
    return CLAIMS[name] || "";
  }

  function leftOut({ scope, tokenResponse }) {
    const got = tokenResponse.scope.split(" ");
    const missing = scope.split(" ").filter((name) => !got.includes(name) && name !== "launch").map((name) => {
      return words(name) + (got.some((other) => other.startsWith(`${name}?`)) ? " (only some kinds came)" : "");
    });
    if (!missing.length) return;
    found("left-out").querySelector("p").textContent = `You left out: ${[...new Set(missing)].join("; ")}.`;
    found("left-out").hidden = false;
  }

  function words(name) {
    const plain = (scope) => scope.replace(/=.*\|/, "="); // the code alone: versions differ in the system that it is of
    const tick = [...document.querySelectorAll("[name=scope]")].find((each) => each.value.split(" ").map(plain).includes(plain(name)));
    return tick ? tick.dataset.text : name;
  }

  const target = ({ tokenResponse }) => `${base}/Patient/${encodeURIComponent(tokenResponse.patient || "amy")}`;

  // The record, and what is let in and refused ------------------------------------------------------------------------

  async function drawRecord(state, token) {
    const { patient, scope } = state.tokenResponse;
    if (!patient) return noRecord();
    const other = patient === "ben" ? "amy" : "ben";
    const own = await ask(`${base}/Patient/${encodeURIComponent(patient)}`, token);
    const foreign = await ask(`${base}/Patient/${other}`, token);
    const never = await ask(`${base}/Patient/no-such-patient`, token);
    const signs = await ask(`${base}/Observation?category=vital-signs`, token);
    const [refused, what, why] = await withoutScope(scope, token);
    drawPatient(patient, own.status === 200 ? own.body : null);
    drawVitalSigns(signs);
    const same = foreign.status === 404 && never.status === 404 && foreign.text === never.text;
    found("pairs").replaceChildren(
      pair(panel("The chosen record", own, own.status === 200 ? coveredBy("Patient", scope) : ""), panel(`The record of ${other}`, foreign, same
        ? `Word for word the answer for an id that never existed: it does not tell that ${other} is a patient here.` : "")),
      pair(panel("Vital signs", signs, signs.status === 200 ? `${(signs.body.entry || []).length} entries, total ${signs.body.total}.` : ""),
        panel(what, refused, refused.status === 403 ? why : "")),
    );
  }

  function noRecord() {
    found("patient-name").textContent = "No record";
    found("no-vital-signs").textContent = "The token is about no record: the app did not ask for one, or none was chosen.";
    found("no-vital-signs").hidden = false;
  }

  const about = (type) => (name) => name.startsWith(`patient/${type}.`) || name.startsWith("patient/*.");

  function coveredBy(type, granted) {
    const scope = granted.split(" ").find(about(type));
    return scope ? `The scope ${scope} covers it.` : "";
  }

  async function withoutScope(granted, token) {
    const types = [[chip().dataset.prescriptions, "Prescribed medicines"], ...OTHER_TYPES];
    const type = types.find(([name]) => name && !granted.split(" ").some(about(name)));
    if (type) return [await ask(`${base}/${type[0]}`, token), type[1], `No scope for ${type[0]} was granted.`];
    const adding = await ask(`${base}/Observation`, token, "POST");
    return [adding, "Adding a test result", "The scopes allow r (read) and s (search); adding needs c (create)."];
  }

  function pair(...panels) {
    const made = node("div", "", { class: "pair" });
    made.append(...panels);
    return made;
  }

  function panel(title, answer, why = "") {
    const made = node("section", "", { class: "panel" }), heading = node("h3");
    heading.append(status(answer), ` ${title}`);
    made.append(heading, said(answer), node("p", why || GENERIC[answer.status] || "", { class: "soft" }));
    return made;
  }

  function drawPatient(id, patient) {
    found("patient-name").textContent = named(patient) || `Patient/${id}`;
    const shown = patient ? [["Born", day(patient.birthDate), true], ["Sex", patient.gender, true], ["Record", patient.identifier?.[0]?.value, true]]
      : [["Name", "not shared with this app", true]];
    facts(found("patient-facts"), shown);
  }

  function drawVitalSigns(answer) {
    const entries = answer.status === 200 ? (answer.body.entry || []).map((entry) => entry.resource) : [];
    found("vital-signs").hidden = !entries.length;
    found("no-vital-signs").hidden = Boolean(entries.length);
    found("no-vital-signs").textContent = answer.status === 200 ? "No vital signs are recorded." : "Vital signs were not shared with this app.";
    const newest = entries.sort((one, two) => (two.effectiveDateTime || "").localeCompare(one.effectiveDateTime || "")).slice(0, 6);
    found("vital-signs").tBodies[0].replaceChildren(...newest.map((sign) => {
      const row = node("tr");
      row.append(node("th", day(sign.effectiveDateTime), { scope: "row" }), node("td", sign.code?.text || sign.code?.coding?.[0]?.display || ""),
        node("td", value(sign), { "data-label": "Value" }));
      return row;
    }));
  }

  function value({ valueQuantity, component }) {
    if (valueQuantity) return `${valueQuantity.value} ${valueQuantity.unit || ""}`;
    const parts = (component || []).map((each) => each.valueQuantity).filter(Boolean);
    return parts.length ? `${parts.map((each) => each.value).join("/")} ${parts[0].unit || ""}` : "";
  }

  function day(date) {
    if (!/^\d{4}-\d\d-\d\d/.test(date || "")) return date || "";
    const shown = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
    return new Date(`${date.slice(0, 10)}T00:00Z`).toLocaleDateString("en-GB", shown);
  }

  // Breaking it -------------------------------------------------------------------------------------------------------

  function offerBreaking(client, token) {
    const refreshes = Boolean(client.state.tokenResponse.refresh_token);
    found("superseded-hint").textContent = refreshes ? "" : "For a newer one the launch runs once more, since the app has no refresh token.";
    const record = target(client.state);
    const ways = {
      changed: () => changed(record, token()),
      elsewhere: () => usedElsewhere(record, token()),
      none: () => withoutToken(record),
      superseded: () => newer(client, record, token()),
    };
    found("break").addEventListener("click", (event) => {
      const way = ways[event.target.closest("button")?.value];
      if (way) way().catch((error) => trouble(error.message));
    });
  }

  async function changed(record, token) {
    const place = token.lastIndexOf(".") + 10;
    const broken = token.slice(0, place) + (token[place] === "A" ? "B" : "A") + token.slice(place + 1);
    const answer = await ask(record, broken), real = await ask(record, token);
    const ended = real.status === 401 ? " It ended the real one too: somebody had it in hands. Start again for a new one." : "";
    drawAnswer(answer, "one letter was changed", `The FHIR server asked, and the authorization server found that this is not the token it issued.${ended}`);
  }

  async function usedElsewhere(record, token) {
    const answer = await ask(record.replace(base, elsewhere), token);
    drawAnswer(answer, "another FHIR server", `The token is good for ${base} alone: that is its aud. Every other server must refuse it, however alive it is.`);
  }

  async function withoutToken(record) {
    drawAnswer(await ask(record, ""), "no token", "Nothing was presented, so the challenge names no error: it only says that a token is needed.");
  }

  async function newer(client, record, token) {
    if (!client.state.tokenResponse.refresh_token) {
      sessionStorage.setItem(OLD, token);
      return authorize({ ...chosen(client.state.clientId), scope: client.state.scope.replace(/^launch /, "launch/patient ") });
    }
    await client.refresh();
    drawToken(client.state);
    await superseded(record, token, client.state.tokenResponse.access_token);
  }

  async function superseded(record, old, token) {
    sessionStorage.removeItem(OLD);
    if (!old || old === token) return;
    const answer = await ask(record, old);
    drawAnswer(answer, "a newer one was issued", answer.status === 401
      ? "The same app got a newer token for the same person and FHIR server, and that ended this one in the same moment."
      : "The client may keep more than one token, so the older one still lives.");
  }

  function drawAnswer(answer, what, why) {
    const box = node("section", "", { class: answer.status < 300 ? "notice notice-good after" : "notice notice-bad after" });
    box.append(node("h3", `${answer.status}: ${what}`), said(answer), node("p", why));
    found("answer").replaceChildren(box);
  }

  // -------------------------------------------------------------------------------------------------------------------

  reach(STEPS[step]);
  if (location.origin !== issuer) trouble(`Open this page at ${issuer}/demo: an app is let in at the address it is registered with.`);
  else if (step === "start") start();
  else (step === "launch" ? launched() : returned()).catch((error) => trouble(error.message));
})();
