"""system/ scopes."""

from smartauth_probe.checks.check import Danger, Result, passed, worst
from smartauth_probe.checks.judging import must_be_served, must_lack_scope, must_show_only
from smartauth_probe.checks.users.section import SECTION
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

BACKEND = "SMART Backend Services, enforce authorization"


def _service(probe: Probe, scope: str = "system/*.rs") -> GivenToken:
    """Raises Skip where system/ scopes open nothing."""
    probe.need("system/*.rs", probe.read("Patient", probe.a.id, probe.token("system/*.rs", "")))
    return probe.token(scope, "")


@SECTION.check(
    "SY-02",
    "system-another-type",
    title="system/Observation.rs opens no other type",
    headline="system/Observation.rs opens another type",
    why="A service that was allowed one type reads another. It concerns everybody whose records are here.",
    fix="Compare the type of the request with the type of the scope, for every context.",
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    token = _service(probe, "system/Observation.rs")
    probe.need("system/*.rs at Observation", probe.search("Observation", _service(probe)))
    return worst(
        must_lack_scope(probe.read("Patient", probe.a.id, token), "read of Patient"),
        must_lack_scope(probe.search("Patient", token), "search of Patient"),
        must_be_served(probe.search("Observation", token), "search of Observation"),
    )


@SECTION.check(
    "SY-02",
    "system-letters",
    title="system/ scopes are judged by their letters",
    headline="system/ scopes allow more than their letters",
    why="The letters are read for patient/ scopes and forgotten for system/. It concerns everybody's records.",
    fix="Judge the letters in one place, for every context.",
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    only_read, only_search = _service(probe, "system/Patient.r"), _service(probe, "system/Patient.s")
    read = must_lack_scope(probe.read("Patient", probe.a.id, only_search), "read with .s")
    return worst(read, must_lack_scope(probe.search("Patient", only_read), "search with .r"))


@SECTION.check(
    "SY-01",
    "system-reads",
    title="system/*.rs reads the patients that the service may see",
    headline="system/*.rs reads nothing",
    why="A service with a right scope is refused. People wait for what it does.",
    fix="Take system/ scopes of a token that names no person and no patient.",
    source=BACKEND,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    token = _service(probe)
    return worst(*(must_be_served(probe.read("Patient", key, token), key) for key in (probe.a.id, probe.b.id)))


@SECTION.check(
    "SY-03",
    "system-of-person",
    title="system/ scopes in the token of a person open nothing",
    headline="system/ scopes in the token of a person open everybody's records",
    why="An app that got hold of such a scope reads everything. The person could not even agree to it.",
    fix="Take system/ scopes only where sub is the client itself, and no person or patient is named.",
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    user = f"{probe.client.base}/{probe.a.path}"
    token = probe.token("system/*.rs", user=user, fhirUser=user, sub="somebody-7f3k29qd")
    for answer in (probe.read("Patient", probe.b.id, token), probe.search("Patient", token)):
        shown = must_show_only(probe, answer, "system/*.rs of a person")
        if shown.is_failed:
            return shown
    return passed()
