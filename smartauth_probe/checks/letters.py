"""Each interaction with each letter of a scope alone (docs/specification/resource-server.md, interactions)."""

import json
from collections.abc import Callable
from typing import NamedTuple

from smartauth_probe.checks.check import Check, Danger, Result, Section, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served, must_lack_scope
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import WIDEST, Probe
from smartauth_probe.tokens.source import GivenToken

SECTION = Section("letters", "Reading and searching by scope letter", "c r u d s, each alone")
KIND = "Observation"
WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}
JSON = (("Content-Type", "application/fhir+json"),)
PATCH = (("Content-Type", "application/json-patch+json"),)
FIX = (
    "Ask for the letter of the interaction before anything is looked up: c create; r read, vread and history of a "
    "record; u update and patch; d delete; s search and history of a type."
)
SOURCE = "SMART App Launch 2.2, scopes for requesting FHIR resources"


class Interaction(NamedTuple):
    """A request that takes this letter; `code` as a CapabilityStatement has it."""

    id: str
    name: str
    letter: str
    code: str
    send: Callable[[Probe, Record, GivenToken], Answer]
    writes: bool = False


def _post(probe: Probe, record: Record, token: GivenToken) -> Answer:
    content = {name: value for name, value in record.content.items() if name not in ("id", "meta")}
    return probe.send("POST", KIND, token, headers=JSON, body=_text(content))


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=True)


INTERACTIONS = (
    Interaction("IX-02", "read", "r", "read", lambda probe, record, token: probe.read(KIND, record.id, token)),
    Interaction(
        "IX-03",
        "vread",
        "r",
        "vread",
        lambda probe, record, token: probe.send("GET", f"{record.path}/_history/{record.version or '1'}", token),
    ),
    Interaction(
        "IX-04",
        "history",
        "r",
        "history-instance",
        lambda probe, record, token: probe.send("GET", f"{record.path}/_history", token),
    ),
    Interaction("IX-09", "search", "s", "search-type", lambda probe, record, token: probe.search(KIND, token)),
    Interaction(
        "IX-09", "post-search", "s", "search-type", lambda probe, record, token: probe.post_search(KIND, token)
    ),
    Interaction(
        "IX-09",
        "count",
        "s",
        "search-type",
        lambda probe, record, token: probe.search(KIND, token, ("_summary", "count")),
    ),
    Interaction(
        "IX-10",
        "type-history",
        "s",
        "history-type",
        lambda probe, record, token: probe.send("GET", f"{KIND}/_history", token),
    ),
    Interaction(
        "IX-11", "whole-search", "s", "", lambda probe, record, token: probe.send("GET", "", token, (("_type", KIND),))
    ),
    Interaction(
        "IX-11",
        "whole-history",
        "s",
        "",
        lambda probe, record, token: probe.send("GET", "_history", token, (("_type", KIND),)),
    ),
    Interaction("IX-01", "create", "c", "create", _post, writes=True),
    Interaction(
        "IX-05",
        "update",
        "u",
        "update",
        lambda probe, record, token: probe.send(
            "PUT", record.path, token, headers=JSON, body=_text({**record.content, "status": "amended"})
        ),
        writes=True,
    ),
    Interaction(
        "IX-07",
        "patch",
        "u",
        "patch",
        lambda probe, record, token: probe.send(
            "PATCH",
            record.path,
            token,
            headers=PATCH,
            body=_text([{"op": "replace", "path": "/status", "value": "amended"}]),
        ),
        writes=True,
    ),
    Interaction(
        "IX-08",
        "delete",
        "d",
        "delete",
        lambda probe, record, token: probe.send("DELETE", record.path, token),
        writes=True,
    ),
)


def _only(interaction: Interaction, letter: str) -> Callable[[Probe], Result]:
    """With the right letter it is served, with another one alone it is not."""

    def run(probe: Probe) -> Result:
        if interaction.writes:
            return _on_a_copy(probe, interaction, letter)
        if interaction.code:
            probe.need_interaction(KIND, interaction.code)
        record = probe.a.first(KIND)
        right = probe.token(f"patient/{KIND}.{interaction.letter}")
        probe.need(interaction.name, interaction.send(probe, record, right))
        answer = interaction.send(probe, record, probe.token(f"patient/{KIND}.{letter}"))
        return must_lack_scope(answer, f"{interaction.name} with .{letter}")

    return run


def _on_a_copy(probe: Probe, interaction: Interaction, letter: str) -> Result:
    """Of a record that is made for it and deleted in the end."""
    probe.need_writes()
    widest = probe.token(WIDEST)
    key = probe.create(KIND, probe.a.first(KIND).content, widest)
    record = Record(KIND, key, "1", {**probe.a.first(KIND).content, "id": key})
    answers = []
    try:
        answers.append(interaction.send(probe, record, probe.token(f"patient/{KIND}.{letter}")))
        return must_lack_scope(answers[0], f"{interaction.name} with .{letter}", Danger.WRITES)
    finally:
        for each in {key, *(answer.id for answer in answers if answer.is_ok and answer.type == KIND)}:
            probe.send("DELETE", f"{KIND}/{each}", widest)


def _check(interaction: Interaction, letter: str) -> Check:
    return Check(
        id=interaction.id,
        name=f"{interaction.name}-with-{letter}",
        section=SECTION.key,
        title=f"{interaction.name} is refused to a scope that only allows to {WORDS[letter]}",
        headline=f"{interaction.name} is done for a scope that only allows to {WORDS[letter]}",
        why=f"The person agreed that the app may {WORDS[letter]}, and the app does more. Nobody was asked about that.",
        fix=FIX,
        source=SOURCE,
        run=_only(interaction, letter),
        danger=Danger.WRITES if interaction.writes else Danger.RECORDS,
        writes=interaction.writes,
    )


SECTION.checks.extend(
    _check(interaction, letter) for interaction in INTERACTIONS for letter in "cruds" if letter != interaction.letter
)


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
