"""Scopes that are right, written otherwise, for another type, or for nothing."""

from smartauth_probe.checks.check import Danger, Result, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served, must_lack_scope
from smartauth_probe.checks.letters.section import KIND, SECTION, SOURCE
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "IX-02",
    "read-is-served",
    title="A scope to read serves reading, and one to search serves searching",
    headline="A right scope is refused",
    why="A server that refuses what was granted is of no use. People's app shows nothing though they agreed.",
    fix="Take each letter for its interaction, alone or with others: .r, .s, .rs, .cruds.",
    source=SOURCE,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    read = [probe.read("Patient", probe.a.id, probe.token(f"patient/{kind}.r")) for kind in ("Patient", "*")]
    served = [must_be_served(answer, "read") for answer in read]
    if probe.facts.may_do("Patient", "search-type"):
        found = probe.search("Patient", probe.token("patient/Patient.s"))
        served.append(must_be_served(found, "search"))
    return worst(*served)


@SECTION.check(
    "IX-13",
    "letters-out-of-order",
    title="Letters in another order than c r u d s are no scope",
    headline="Letters in any order are a scope",
    why="A scope is compared letter by letter, so it means what nobody granted. What people agreed to is a guess.",
    fix="Parse scopes by the grammar: each letter at most once, in the order cruds; anything else gives nothing.",
    source=SOURCE,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    scopes = ("patient/Patient.sr", "patient/Patient.dusr", "patient/Patient.rr")
    answers = [probe.read("Patient", probe.a.id, probe.token(scope)) for scope in scopes]
    return worst(*(must_lack_scope(answer, scope) for answer, scope in zip(answers, scopes, strict=True)))


@SECTION.check(
    "IX-20",
    "another-type",
    title="A scope for one type opens no other one",
    headline="A scope for one type opens another one",
    why="The person agreed to share measurements, and the app reads diagnoses. Nobody was asked about those.",
    fix="Compare the type of the request with the type of the scope as a whole, letter by letter; only * fits all.",
    source="SMART Backend Services, enforce authorization",
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/Observation.rs")
    others = [kind for kind in probe.a.records if kind != KIND]
    patient = must_lack_scope(probe.read("Patient", probe.a.id, token), "Patient")
    reads = (must_lack_scope(probe.read(kind, probe.a.first(kind).id, token), kind) for kind in others)
    searches = (must_lack_scope(probe.search(kind, token), f"search of {kind}") for kind in others)
    return worst(patient, *reads, *searches)


@SECTION.check(
    "IX-20",
    "scope-before-lookup",
    title="A type without a scope is refused alike whether the record exists or not",
    headline="Without a scope for the type the answer tells whether a record exists",
    why="The record is looked up before the scope. Ids of diagnoses can be tried with a token for measurements.",
    fix="Judge the scope first, and look a record up only then.",
    source="SMART Backend Services, enforce authorization",
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/Basic.rs")
    known, unknown = (probe.read("Patient", key, token) for key in (probe.a.id, probe.unknown_id))
    return must_be_alike(known, unknown, "Patient A")


@SECTION.check(
    "TV-20",
    "no-fhir-scope",
    title="A token without a scope for FHIR opens nothing",
    headline="A token without a scope for FHIR opens records",
    why="A token to sign in with is taken for one to read with. People who only signed in have shared their record.",
    fix="Serve nothing unless a scope names context, type and letter.",
    source="SMART App Launch 2.2, access tokens",
)
def _(probe: Probe) -> Result:
    token = probe.token("openid fhirUser launch/patient offline_access")
    kind = next(iter(probe.a.records), "Patient")
    read = must_lack_scope(probe.read("Patient", probe.a.id, token), "read of Patient A")
    return worst(read, must_lack_scope(probe.search(kind, token), f"search of {kind}"))
