"""What is open without a token, and what must be."""

from smartauth_probe.checks.check import Danger, Result, failed, passed
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.requests.section import SECTION
from smartauth_probe.target.fixture import of_others
from smartauth_probe.target.probe import NO_TOKEN, Probe

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
    """The same without a token as with one; what nobody gets is not there."""
    accept = ("Accept", "application/json, application/fhir+json;q=0.9")
    without = probe.send("GET", path, NO_TOKEN, headers=(accept,))
    if not without.is_ok:
        probe.need(path, probe.send("GET", path, probe.token(), headers=(accept,)))
    with_bad = probe.send("GET", path, NO_TOKEN, headers=(accept, ("Authorization", "Bearer not.a.token")))
    if without.is_ok and with_bad.is_ok:
        return passed("200 both times.")
    return failed(f"{path} is not for everybody.", "200 and 200", f"{without.status} and {with_bad.status}")


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
        if probe.fixture.other and of_others(
            found := probe.read("Patient", probe.b.id, probe.token(), header), probe.a.id
        ):
            return failed(f"{header[0]} widens a token.", "as without it", str(found))
    return passed("Nothing with each of eight headers.")
