"""How a token is asked for and refused, whatever is in it (docs/specification/resource-server.md, token checks)."""

from smartauth_probe.checks.check import Danger, Result, Section, Skip, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.received import is_outcome
from smartauth_probe.requests import Presentation
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import NO_TOKEN, Probe

SECTION = Section("requests", "Refusals", "What is said without a token, in an error, and on pages for everybody")
TRACES = (b"Traceback (most", b"\tat java.", b"at org.", b"at com.", b"node_modules", b"SQLSTATE", b"System.Exception")
AWAY = "Put it behind the same check as every other route: default deny, and a list of what is public."


@SECTION.check(
    "TV-02",
    "no-token-tells-nothing",
    title="Without a token, a patient who exists is answered like one who does not",
    headline="Without a token the answer tells who is a patient here",
    why="Somebody without any token can try names and numbers. Who is a patient in a clinic can itself be a secret.",
    fix="Look for the token before anything else, and answer 401 for every path below the base.",
    source="FHIR security, Access Denied Response Handling",
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    known, unknown = probe.read("Patient", probe.a.id, NO_TOKEN), probe.read("Patient", probe.unknown_id, NO_TOKEN)
    return must_be_alike(known, unknown, "Patient A without a token")


@SECTION.check(
    "TV-01",
    "no-token-everywhere",
    title="Without a token no route gives a record",
    headline="A route gives records to somebody without a token",
    why="A route that was forgotten is open to the whole network. Anybody who finds it reads the records of all.",
    fix=AWAY,
    source="RFC 6750 §3, Inferno",
)
def _(probe: Probe) -> Result:
    record, kind = probe.a.path, next(iter(probe.a.records), "Observation")
    paths = (record, f"{record}/_history", f"{record}/_history/1", f"{record}/$everything", kind, f"{kind}/_history")
    whole = ("_history", f"{record}/{kind}", "$export", "Patient/$export", f"{kind}/$lastn", "$graphql")
    open_ = [(path, answer) for path in (*paths, *whole) if (answer := probe.send("GET", path, NO_TOKEN)).holds_data]
    if open_:
        path, answer = open_[0]
        return failed(f"GET {path} needs no token.", "401", str(answer))
    return passed("401 or nothing at each of twelve routes.")


@SECTION.check(
    "TV-24",
    "metadata-is-public",
    title="The CapabilityStatement needs no token, and a bad one does not break it",
    headline="The CapabilityStatement needs a token",
    why="An app reads it before it can ask for a token. People whose app finds no statement cannot begin.",
    fix="Serve metadata to everybody, and look at no token there.",
    source="SMART App Launch 2.2, FHIR http capabilities",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    return _is_public(probe, "metadata")


@SECTION.check(
    "TV-24",
    "configuration-is-public",
    title="The SMART configuration needs no token, and a bad one does not break it",
    headline="The SMART configuration needs a token",
    why="An app reads there where it gets a token. People whose app does not find it cannot begin.",
    fix="Serve .well-known/smart-configuration to everybody, and look at no token there.",
    source="SMART App Launch 2.2, Conformance",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    return _is_public(probe, ".well-known/smart-configuration")


def _is_public(probe: Probe, path: str) -> Result:
    without = probe.send("GET", path, NO_TOKEN)
    if without.status in (404, 501):
        raise Skip(f"There is no {path}: it answered {without.status}.")
    noise = (("Authorization", "Bearer not.a.token"),)
    with_bad = probe.send("GET", path, NO_TOKEN, headers=noise)
    if without.is_ok and with_bad.is_ok:
        return passed("200 both times.")
    return failed(f"{path} is not for everybody.", "200 and 200", f"{without.status} and {with_bad.status}")


@SECTION.check(
    "TV-27",
    "errors-are-outcomes",
    title="A refusal is an OperationOutcome",
    headline="A refusal is no OperationOutcome",
    why="An app reads in it what went wrong. People get a page that says nothing in place of a reason.",
    fix="Answer every refusal with an OperationOutcome in the media type that was asked for.",
    source="FHIR http",
    danger=Danger.FORM,
    usual="Some servers answer 401 with an empty body, because a proxy before them does.",
)
def _(probe: Probe) -> Result:
    refusals = [answer for answer in _refusals(probe) if not answer.is_ok]
    other = [answer for answer in refusals if answer.content and not is_outcome(answer.type)]
    if other:
        return policy(f"{other[0].status} came with {len(other[0].content)} bytes that are no OperationOutcome.")
    return passed("Every refusal with a body is one.")


@SECTION.check(
    "TV-27",
    "errors-tell-no-inside",
    title="A refusal says nothing of the program inside",
    headline="A refusal shows the program inside",
    why="Names of files, classes and tables are a map for an attack. What was in the records may stand in them too.",
    fix="Log the failure, and answer a short OperationOutcome; switch the debug mode off.",
    source="FHIR http, RFC 9700",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    for answer in _refusals(probe):
        for trace in TRACES:
            if trace in answer.content:
                return failed(f"A {answer.status} holds a trace.", "no trace", trace.decode().strip())
    return passed()


def _refusals(probe: Probe) -> list[Answer]:
    token = probe.token()
    odd = (("_count", "x"), ("_lastUpdated", "not-a-date"), ("_id", "'\"<>"))
    return [
        probe.read("Patient", probe.a.id, NO_TOKEN),
        probe.read("Patient", probe.unknown_id, token),
        probe.read("Patient", "%00", token),
        probe.search("NoSuchType", token),
        *(probe.search("Patient", token, pair) for pair in odd),
    ]


@SECTION.check(
    "TV-26",
    "forwarded-for-opens-nothing",
    title="A header that claims another address or user opens nothing",
    headline="A header that anybody can send opens records",
    why="Headers of a proxy are believed though no proxy wrote them. Anybody who sends one reads the records of all.",
    fix="Take such headers from addresses of your own proxies only, and never in place of a token.",
    source="RFC 9700 §4.13",
)
def _(probe: Probe) -> Result:
    claims = (
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("X-Forwarded-User", "admin"),
        ("X-Remote-User", "admin"),
        ("X-Original-URL", "/metadata"),
        ("X-Rewrite-URL", "/metadata"),
        ("X-Forwarded-Prefix", "/metadata"),
    )
    for header in claims:
        answer = probe.read("Patient", probe.a.id, NO_TOKEN, header)
        if answer.holds_data:
            return failed(f"{header[0]} stands in for a token.", "401", str(answer))
    return passed("401 with each of eight headers.")


@SECTION.check(
    "TV-28",
    "preflight-needs-no-token",
    title="A browser may ask first without a token",
    headline="A browser's first question is refused",
    why="A browser sends OPTIONS without a token, and nothing further if that is refused. People's app stays empty.",
    fix="Answer OPTIONS of registered origins without looking for a token.",
    source="SMART App Launch 2.2, CORS",
    danger=Danger.FORM,
    usual="A server whose apps are not in browsers needs no CORS.",
)
def _(probe: Probe) -> Result:
    asks = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"))
    answer = probe.send("OPTIONS", probe.a.path, NO_TOKEN, headers=asks)
    if answer.holds_data:
        return failed("OPTIONS gives a record.", "no record", str(answer), Danger.RECORDS)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    seen = f"OPTIONS: {answer.status}, {f'allows {allowed}' if allowed else 'allows no origin'}."
    return passed(seen) if allowed and answer.is_ok else policy(seen)


@SECTION.check(
    "TV-30",
    "offered-upgrade",
    title="A form arrives although the client offers HTTP/2",
    headline="A form is lost when the client offers HTTP/2",
    why="Java's client offers h2c with every request. A search of such an app is answered without its parameters.",
    fix="Ignore the offer, or speak HTTP/2; read the body in both cases.",
    source="RFC 9110 §7.8",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    plain = probe.post_search("Patient", probe.token(), ("_id", probe.unknown_id))
    probe.need("POST Patient/_search", plain)
    offer = (
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
    )
    shown = (("Authorization", f"Bearer {probe.token().value}"), ("Content-Type", "application/x-www-form-urlencoded"))
    form = f"_id={probe.unknown_id}"
    offered = probe.client.send(
        Presentation("Patient/_search", "POST", headers=(*shown, *offer), body=form), "patient A"
    )
    if offered.status == plain.status and offered.total == plain.total:
        return passed(f"{plain.status} both times.")
    return failed("The offer changes the answer.", str(plain), str(offered))


@SECTION.check(
    "IX-12",
    "head-is-get",
    title="HEAD is refused where GET is",
    headline="HEAD tells what GET refuses",
    why="HEAD runs past the check that GET has. Whether a record exists, and how long it is, stands in its headers.",
    fix="Let HEAD run through the very code of GET, and leave the body out at the end.",
    source="RFC 9110 §9.3.2",
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    without = probe.send("HEAD", probe.a.path, NO_TOKEN)
    if without.is_ok:
        return failed("HEAD needs no token.", "401", str(without.status))
    token = probe.token()
    hidden, unknown = (probe.send("HEAD", f"Patient/{key}", token) for key in (probe.b.id, probe.unknown_id))
    return must_be_alike(hidden, unknown, "HEAD of patient B")


@SECTION.check(
    "TV-33",
    "leads-nowhere-else",
    title="No answer leads to another host",
    headline="An answer leads to another host",
    why="A client that follows takes the token with it. Who owns that host then reads the records of its patient.",
    fix="Make links and redirects from your configured base, never from the Host header.",
    source="RFC 9700 §4.11",
    danger=Danger.RECORDS,
)
def _(probe: Probe) -> Result:
    if probe.client.redirects:
        return failed("A redirect leads away.", "no redirect to another host", probe.client.redirects[0])
    spoofed = probe.send("GET", "Patient", probe.token(), (("_count", "1"),), (("X-Forwarded-Host", "evil.example"),))
    return worst(*(_stays(each, spoofed) for each in ("self", "next", "first", "last")))


def _stays(relation: str, answer: Answer) -> Result:
    link = answer.link(relation)
    if "evil.example" in link:
        return failed(
            "X-Forwarded-Host goes into links.", "links to this host", f"{relation}: {link[:80]}", Danger.FORM
        )
    return passed()
