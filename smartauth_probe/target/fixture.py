"""Two patients and what the server has of them: found with their own tokens, kept in memory only."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smartauth_probe.segments import segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json, name_of

# of those that a patient has, the ones that most servers have, in the order in which a check prefers them
TYPES = (
    "Observation",
    "Condition",
    "Encounter",
    "AllergyIntolerance",
    "MedicationRequest",
    "MedicationOrder",
    "Procedure",
    "DiagnosticReport",
    "DocumentReference",
    "Immunization",
    "CarePlan",
    "Goal",
    "Coverage",
    "Appointment",
    "Task",
    "RelatedPerson",
)
SUBJECTS = ("subject", "patient", "for", "beneficiary")
UNKNOWN_ID = "never-existed-7f3k29qd"
PARAMETERS = {"Appointment": "patient", "Task": "patient", "Coverage": "beneficiary"}


@dataclass(frozen=True, slots=True)
class Record:
    type: str
    id: str
    version: str = ""
    content: Json = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, resource: Json) -> "Record":
        meta = resource.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else ""
        kind, key = str(resource.get("resourceType", "")), str(resource.get("id", ""))
        return cls(kind, key, segment(str(version or "")), resource)

    @property
    def path(self) -> str:
        return f"{segment(self.type)}/{segment(self.id)}"


@dataclass(frozen=True, slots=True)
class Person:
    """A patient, by the letter of the specification."""

    letter: str
    id: str
    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"Patient/{segment(self.id)}"

    def first(self, kind: str) -> Record:
        """A record of that type. Raises Skip."""
        found = self.records.get(kind)
        if not found:
            raise Skip(f"Patient {self.letter} has no {kind} that was found.", "records of that type for A and B")
        return found[0]

    def any(self) -> Record:
        """A record of whatever type. Raises Skip."""
        for kind in TYPES:
            if found := self.records.get(kind):
                return found[0]
        raise Skip(f"Patient {self.letter} has no record that was found.", "records for A and B")


@dataclass(frozen=True, slots=True)
class Fixture:
    """Patient A, in the context of the tokens, and another one, B, who may be missing."""

    a: Person
    other: Person | None = None

    @property
    def b(self) -> Person:
        """Raises Skip."""
        if self.other is None:
            raise Skip("No second patient is known.", "--patients A,B")
        return self.other


def subjects(resource: Json) -> Iterator[str]:
    """The ids of the patients that it is about, as far as it says so itself."""
    if resource.get("resourceType") == "Patient":
        yield str(resource.get("id", ""))
        return
    for name in SUBJECTS:
        found = resource.get(name)
        for each in found if isinstance(found, list) else [found]:
            reference = each.get("reference") if isinstance(each, dict) else None
            if isinstance(reference, str):
                yield from _patient(reference)


def of_others(answer: Answer, patient: str) -> list[str]:
    """The entries, or the resource itself, that are about another patient and do not mention this one at all.

    A record that mentions both may belong to both (FHIR compartments): who is only a performer is a matter of policy.
    """
    resources = answer.entries if answer.type == "Bundle" else [answer.resource]
    return [name_of(each) for each in resources if set(subjects(each)) and patient not in mentioned(each)]


def of_both(answer: Answer, patient: str) -> list[str]:
    """The entries that are about another patient and mention this one: they may belong to both."""
    found = (each for each in answer.entries if patient in mentioned(each) - set(subjects(each)))
    return [name_of(each) for each in found if set(subjects(each))]


def mentioned(resource: Json) -> set[str]:
    """The ids of all patients that it is about or refers to."""
    return {*subjects(resource), *(patient for each in references(resource) for patient in _patient(each))}


def references(resource: Json, *names: str) -> Iterator[str]:
    """What it refers to, wherever that stands in it; with `names` also members such as the url of an attachment."""
    waiting: deque[Any] = deque([resource])
    while waiting:
        each = waiting.popleft()
        for value in each.values() if isinstance(each, dict) else each:
            if isinstance(value, dict | list):
                waiting.append(value)
        for name in ("reference", *names) if isinstance(each, dict) else ():
            if isinstance(each.get(name), str):
                yield each[name]


def _patient(reference: str) -> tuple[str, ...]:
    """The id, where it is a reference to a patient, whatever the base and version before and after it."""
    parts = reference.split("/_history/")[0].split("/")
    return (parts[-1],) if parts[-2:-1] == ["Patient"] else ()
