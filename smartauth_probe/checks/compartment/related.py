"""Records of types that are a patient's only because another record says so, or that several people share."""

from collections.abc import Iterator

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy, worst
from smartauth_probe.checks.compartment.section import PEOPLE, SECTION, SOURCE
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.loading.made import SERVICE
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json, name_of
from smartauth_probe.target.fixture import references
from smartauth_probe.target.probe import Probe

KIND = "Observation"
ABOUT = ("RelatedPerson", "Person", "Consent", "AuditEvent")
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def _named_by(records: Iterator[Json], kind: str) -> list[str]:
    """The ids of that type that these records refer to."""
    parts = [each.partition("/_history")[0].split("/") for record in records for each in references(record, "url")]
    return list(dict.fromkeys(each[-1] for each in parts if each[-2:-1] == [kind]))


def _only_of_b(probe: Probe, kind: str, *of: str) -> str:
    """An id that records of B refer to, and none of A. Raises Skip."""
    named = {
        person.letter: _named_by((each.content for name in of for each in person.records.get(name, ())), kind)
        for person in (probe.a, probe.b)
    }
    for key in named["B"]:
        if key not in named["A"]:
            return key
    raise Skip(f"No {kind} was found to which B's records alone refer.", f"a {kind} of B's {of[0]}")


def _must_be_hidden(probe: Probe, kind: str, key: str) -> Result:
    other, unknown = (probe.read(kind, each, probe.token()) for each in (key, probe.unknown_id))
    if other.status == 403 and not other.holds_data:
        return passed("403.")
    return must_be_alike(other, unknown, f"{kind} of B")


@SECTION.check(
    "PC-15",
    "medication-of-other",
    title="A medication that only another patient's order names is closed",
    headline="A medication that only another patient's order names is open",
    why=f"A Medication has no patient, and tells what somebody takes. {PEOPLE}",
    fix="Open a Medication only where a record refers to it that the token may read.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    return _must_be_hidden(probe, "Medication", _only_of_b(probe, "Medication", "MedicationRequest", "MedicationOrder"))


@SECTION.check(
    "PC-14",
    "binary-of-other",
    title="The file of another patient's document is closed",
    headline="The file of another patient's document is open",
    why=f"The document is closed, and the file that it names is open. {PEOPLE}",
    fix="Judge a Binary by the document that names it, or by its securityContext.",
    source="FHIR Binary, security context",
)
def _(probe: Probe) -> Result:
    key = _only_of_b(probe, "Binary", "DocumentReference", "DiagnosticReport")
    return _must_be_hidden(probe, "Binary", key)


@SECTION.check(
    "PC-16",
    "provenance-of-other",
    title="A search for Provenance shows nothing about another patient's records",
    headline="Provenance tells of another patient's records",
    why=f"A Provenance has no subject: it is somebody's by what it is about. {PEOPLE}",
    fix="Open a Provenance only where the token may read a record that it is about.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    theirs = {record.path for records in probe.b.records.values() for record in records}
    answer = probe.search("Provenance", probe.token())
    return worst(_must_name_none(answer, theirs, "Provenance"), must_show_only(probe, answer, "Provenance"))


def _must_name_none(answer: Answer, theirs: set[str], what: str) -> Result:
    for each in answer.entries:
        named = {reference.partition("/_history")[0] for reference in references(each)}
        if any(name.endswith(path) for name in named for path in theirs):
            return failed(f"{what} names a record of B.", "none", name_of(each), Danger.RECORDS)
    return passed(f"{what}: {answer}.")


@SECTION.check(
    "PC-23",
    "types-about-other",
    title="What is kept about another patient is closed: relatives, persons, consents, audit events",
    headline="Relatives, persons, consents or audit events of another patient are shown",
    why=f"Such types are about somebody by elements of their own, which a rule for subject misses. {PEOPLE}",
    fix="Name the elements for each type, as the compartment does, and deny a type without a rule.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    results = []
    for kind in ABOUT:
        answer = probe.search(kind, probe.token())
        results += [must_show_only(probe, answer, kind), _must_name_none(answer, {probe.b.path}, kind)]
    return worst(*results)


@SECTION.check(
    "PC-08",
    "performer-is-a-member",
    title="Whether a record of another patient that the token's patient performed is open is known",
    headline="A record of another patient is open to its performer",
    why="FHIR's compartment takes a performer too, many servers the subject alone. The other person may not know.",
    fix="Decide for one of them, say so, and do the same for reading, searching and history.",
    source="FHIR CompartmentDefinition patient",
    usual="Both are in use; the compartment of FHIR is the wider one.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        content = made.content(probe.b, performer=[{"reference": probe.a.path}])
        key = made.make(KIND, content, probe.token(SERVICE, ""))
        read = probe.read(KIND, key, probe.token())
        found = probe.search(KIND, probe.token(), ("_id", key))
    is_found = any(name.endswith(f"/{key}") for name in found.names)
    if read.is_ok != is_found:
        both = f"a read answered {read.status}, a search {'found it' if is_found else 'did not'}"
        return failed("Reading and searching differ.", "the same for both", both, Danger.FORM)
    return policy("It is open to its performer.") if read.is_ok else passed("It is closed.")


@SECTION.check(
    "HI-06",
    "restricted-label",
    title="Whether a record with the label restricted is open to its patient's app is known",
    headline="A record with the label restricted is open as any other",
    why="A label says that a record is sensitive. An app may get what somebody wanted to keep from it.",
    fix="If labels protect here, answer as for an unknown id; if they do not, say so.",
    source="FHIR security labels",
    usual="Most servers keep labels and do not judge by them.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record = made.of(probe.a, meta={"security": [{"system": CONFIDENTIALITY, "code": "R"}]})
        answer = probe.read(KIND, record.id, probe.token())
        if answer.is_ok:
            return policy("It is read as any other.")
        return must_be_alike(answer, probe.read(KIND, probe.unknown_id, probe.token()), "The record with the label")
