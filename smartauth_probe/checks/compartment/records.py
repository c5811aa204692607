"""Records of another patient, read by their ids."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, passed, policy, worst
from smartauth_probe.checks.compartment.section import ALIKE, HIDE, PEOPLE, SECTION, SOURCE, _kinds
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.skip import Skip
from smartauth_probe.target.fixture import TYPES
from smartauth_probe.target.probe import Probe

MOST_TYPES = 160  # R5 has as many


@SECTION.check(
    "PC-02",
    "other-patient",
    title="Another patient is answered like one who never existed",
    headline="The answer tells that another patient exists, or shows them",
    why="Somebody who tries ids learns who is a patient here. In some clinics that alone is a secret.",
    fix=f"{ALIKE} Keep 403 for a missing scope.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    other, unknown = (probe.read("Patient", key, token) for key in (probe.b.id, probe.unknown_id))
    return must_be_alike(other, unknown, "Patient B")


def _record_of_b(kind: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token, record = probe.token(), probe.b.first(kind)
        other, unknown = (probe.read(kind, key, token) for key in (record.id, probe.unknown_id))
        return must_be_alike(other, unknown, f"{kind} of B")

    return run


def _record_check(kind: str) -> Check:
    return Check(
        id="PC-03",
        name=f"other-{kind.lower()}",
        section=SECTION.key,
        title=f"{kind} of another patient is answered like one that never existed",
        headline=f"{kind} of another patient is shown, or told apart from one that never existed",
        why=f"An app with the token of one patient tries ids of {kind}. {PEOPLE}",
        fix=ALIKE,
        source=HIDE,
        run=_record_of_b(kind),
        danger=Danger.EXISTENCE,
    )


SECTION.checks.extend(_record_check(kind) for kind in TYPES)


@SECTION.check(
    "PC-12",
    "types-without-patient",
    title="Types that belong to no patient are refused, or hold nothing of a patient",
    headline="A type that belongs to no patient gives records of patients",
    why="Where no rule is written for a type, everything of it is open. Tasks and files tell about people too.",
    fix="Deny by default: serve a type only where a rule says which of its records belong to a patient.",
    source=SOURCE,
    usual="Practitioner, Organization, Location and Medication are often open, where A's record refers to them.",
)
def _(probe: Probe) -> Result:
    token = probe.token()
    kinds = ("Task", "Binary", "Bundle", "QuestionnaireResponse", "Linkage", "Device", "MessageHeader", "AuditEvent")
    answers = {kind: probe.search(kind, token) for kind in kinds}
    shown = [must_show_only(probe, answer, kind) for kind, answer in answers.items()]
    open_ = [kind for kind, answer in answers.items() if answer.is_ok and answer.entries]
    return worst(*shown, policy(f"Shown: {', '.join(open_)}.") if open_ else passed())


@SECTION.check(
    "PC-23",
    "every-type",
    title="No type of the server shows records of another patient",
    headline="A type that is seldom asked for shows records of another patient",
    why=f"The types that every app uses are tried and tested, and one that was added later is open. {PEOPLE}",
    fix="Narrow every type by one rule; where no rule says which records belong to a patient, serve none.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    kinds = [kind for kind in sorted(probe.facts.types) if probe.facts.may_do(kind, "search-type")]
    if not kinds:
        raise Skip("The CapabilityStatement names no type that can be searched.")
    return worst(*(must_show_only(probe, probe.search(kind, token), kind) for kind in kinds[:MOST_TYPES]))


@SECTION.check(
    "SR-03",
    "compartment-of-other",
    title="The compartment of another patient is closed",
    headline="The compartment of another patient is open",
    why=f"A search below another patient has a path of its own, and often no check of its own. {PEOPLE}",
    fix="Judge the patient in the path like one in a parameter.",
    source="FHIR search, compartments",
)
def _(probe: Probe) -> Result:
    token, b = probe.token(), probe.b
    paths = [f"{b.path}/{kind}" for kind in _kinds(probe)[:3]] + [f"{b.path}/*", f"{b.path}/_history"]
    return worst(*(must_show_only(probe, probe.send("GET", path, token), path) for path in paths))
