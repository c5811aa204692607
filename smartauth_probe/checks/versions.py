"""Scopes of SMART 1: read is rs, write is cud, * is all (docs/specification/resource-server.md, v1 and v2)."""

from smartauth_probe.checks.check import Check, Danger, Result, Run, Section, worst
from smartauth_probe.checks.judging import must_be_served, must_lack_scope
from smartauth_probe.checks.letters.interactions import INTERACTIONS, Interaction
from smartauth_probe.checks.letters.matrix import must_be_refused
from smartauth_probe.checks.letters.section import KIND
from smartauth_probe.target.probe import Probe

SECTION = Section("v1", "Scopes of version 1", ".read, .write, .*")
SOURCE = "SMART App Launch 2.2, scopes for requesting FHIR resources, version 1"
READS = tuple(each for each in INTERACTIONS if not each.writes)
WRITES = tuple(each for each in INTERACTIONS if each.writes)
FIX = "Translate first, then judge by letters: .read is .rs, .write is .cud, .* is .cruds."


def _must_be_served_alike(interaction: Interaction, scope: str) -> Run:
    """What version 2 serves with the letter, version 1 serves with its word."""

    def run(probe: Probe) -> Result:
        if interaction.code:
            probe.need_interaction(KIND, interaction.code)
        record = probe.a.first(KIND)
        by_letter = interaction.send(probe, record, probe.token(f"patient/{KIND}.{interaction.letter}"))
        probe.need(interaction.name, by_letter)
        answer = interaction.send(probe, record, probe.token(f"patient/{KIND}.{scope}"))
        return must_be_served(answer, f"{interaction.name} with .{scope}")

    return run


def _check_allows(interaction: Interaction, scope: str) -> Check:
    return Check(
        id="V1-01" if scope == "read" else "V1-05",
        name=f"v1-{interaction.name}-with-{'all' if scope == '*' else scope}",
        section=SECTION.key,
        title=f".{scope} allows {interaction.name}",
        headline=f".{scope} does not allow {interaction.name}",
        why="Many apps ask in the words of SMART 1. People's app shows nothing though they agreed.",
        fix=FIX,
        source=SOURCE,
        run=_must_be_served_alike(interaction, scope),
        danger=Danger.FORM,
    )


def _check_refuses(interaction: Interaction, scope: str) -> Check:
    return Check(
        id="V1-02" if scope == "read" else "V1-04",
        name=f"v1-{interaction.name}-refused-to-{scope}",
        section=SECTION.key,
        title=f".{scope} does not allow {interaction.name}",
        headline=f".{scope} allows {interaction.name}",
        why=f"The word {scope} is taken for more than it says. The person agreed to less.",
        fix=FIX,
        source=SOURCE,
        run=must_be_refused(interaction, scope),
        danger=Danger.WRITES if interaction.writes else Danger.RECORDS,
        writes=interaction.writes,
        since="STU3" if interaction.code == "patch" else "DSTU2",
    )


SECTION.checks.extend(_check_allows(interaction, scope) for scope in ("read", "*") for interaction in READS)
SECTION.checks.extend(_check_refuses(interaction, "write") for interaction in READS)
SECTION.checks.extend(_check_refuses(interaction, "read") for interaction in WRITES)


@SECTION.check(
    "V1-06",
    "v1-wildcards",
    title="patient/*.read and patient/*.* open what patient/*.rs opens",
    headline="A wildcard of SMART 1 opens something else than one of SMART 2",
    why="Two ways to say the same thing open different records. People agreed to one of them.",
    fix=FIX,
    source=SOURCE,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    tokens = [probe.token(scope) for scope in ("patient/*.read", "patient/*.*")]
    return worst(*(must_be_served(probe.read("Patient", probe.a.id, token), token.label) for token in tokens))


@SECTION.check(
    "V1-07",
    "v1-beside-v2",
    title="Scopes of both versions in one token add up, and no further",
    headline="Scopes of both versions in one token open a third thing",
    why="A token may hold scopes of both versions. What neither of them allows, the person did not agree to.",
    fix=FIX,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    other = next((kind for kind in probe.a.records if kind != KIND), "")
    token = probe.token(f"patient/Patient.read patient/{KIND}.r")
    served = must_be_served(probe.read("Patient", probe.a.id, token), "the type of version 1")
    record = probe.a.first(KIND)
    results = [served, must_be_served(probe.read(KIND, record.id, token), "the type of version 2")]
    results.append(must_lack_scope(probe.search(KIND, token), f"search of {KIND} with .r"))
    if other:
        results.append(must_lack_scope(probe.search(other, token), other))
    return worst(*results)


@SECTION.check(
    "V1-06",
    "v1-words-of-nobody",
    title="A word that is none of SMART 1 is no scope",
    headline="A word that is none of SMART 1 opens records",
    why="A scope that nobody defined is taken for one that sounds alike. Nobody agreed to it.",
    fix="Take read, write and * as whole words in lower case, and nothing else.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    words = ("READ", "reads", "read.", "all", "rea", "read-write", "**")
    answers = [(word, probe.read("Patient", probe.a.id, probe.token(f"patient/Patient.{word}"))) for word in words]
    return worst(*(must_lack_scope(answer, f".{word}") for word, answer in answers))
