"""A view: which records of one resource type a subject may see, by which scopes (SMART scopes; SCP-05, GR-15)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TypeAlias, Unpack

from smart.decisions.stored_references import may_name_any_patient
from smart.decisions.subject import Subject
from smart.explanation import Why
from smart.fhir.definitions import ResourceDefinition, definitions
from smart.fhir.elements import Json, elements_at, reference_target
from smart.fhir.id import is_fhir_id
from smart.openid.standard_claims import has_fhir_user
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import scopes_allowing
from smart.search.criteria import Criterion, UnsupportedCriterion, is_match, scope_criteria

CONTEXTS = ("patient", "user", "system")
Criteria: TypeAlias = tuple[Criterion, ...]


class OutOfScope(Exception):
    """The scopes do not allow this, and by which line of the checklist."""

    def __init__(self, **why: Unpack[Why]) -> None:
        super().__init__(why.get("what", ""))
        self.why = why


@dataclass(frozen=True, slots=True)
class Everybody:
    """The records of all patients, and those of nobody."""


@dataclass(frozen=True, slots=True)
class Compartments:
    """The records in the compartments of these patients, and the patients themselves; of nobody where there is none."""

    patients: frozenset[str]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """The one resource that the user is."""

    type: str
    id: str


Who: TypeAlias = Everybody | Compartments | OwnRecord


@dataclass(frozen=True, slots=True)
class Alternative:
    """Records of these that meet every criterion."""

    who: Who
    where: Criteria = ()


_UNCONDITIONAL = Alternative(Everybody())
# what patient/ and user/ scopes of one token open adds up: a record is open where any alternative has it (SCP-05)
View: TypeAlias = tuple[Alternative, ...]


def view_of(subject: Subject, name: str, letter: str, version: str, base: str) -> View:
    """How far the scopes reach for one letter on one type, known or not. Raises OutOfScope."""
    opened = _opened(subject.scopes, name, letter, version, base)
    found = [
        Alternative(who, where)
        for context, reached in _by_context(subject, name).items()
        for where in opened[context]
        for who in reached
    ]
    if letter == "r" and (own := _own_record(subject, name)) and has_fhir_user(subject.scopes):
        # fhirUser can be read with its own token (SMART App Launch, scopes for identity data; ID-03)
        found.append(Alternative(own))
    if not found:
        raise _out_of_scope(subject, name, letter)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


@dataclass(frozen=True, slots=True)
class Reach:
    """A subject at a base of some FHIR version, each view worked out once."""

    subject: Subject
    version: str
    base: str
    _views: dict[tuple[str, str], View] = field(default_factory=dict)

    def view(self, name: str, letter: str) -> View:
        """How far it reaches for a letter on a type. Raises OutOfScope."""
        found = self._views.get((name, letter))
        if found is None:
            found = self._views[name, letter] = view_of(self.subject, name, letter, self.version, self.base)
        return found

    def sees_all(self, name: str) -> bool:
        """Whether every record of the type may be read and found."""
        return self._opens_all(name, "rs")

    def deletes_all(self, name: str) -> bool:
        """Whether every record of the type may be deleted."""
        return self._opens_all(name, "d")

    def _opens_all(self, name: str, letters: str) -> bool:
        try:
            return all(is_unconditional(self.view(name, letter)) for letter in letters)
        except OutOfScope:
            return False


def of_compartment(view: View, patient: str) -> View:
    """What of the view lies in the compartment of that patient: nothing, where the view reaches them not (SR-03)."""
    narrowed = ((one, _narrowed(one.who, patient)) for one in view)
    return tuple(replace(one, who=who) for one, who in narrowed if who is not None)


def _narrowed(who: Who, patient: str) -> Who | None:
    match who:
        case Compartments(patients) if patient not in patients:
            return None
        case OwnRecord(name, own_id):  # the patient's own resource lies in that compartment, and nothing else of it
            return who if (name, own_id) == ("Patient", patient) else None
        case _:
            return Compartments(frozenset({patient}))


def is_unconditional(view: View) -> bool:
    """Whether it leaves nothing out."""
    return _UNCONDITIONAL in view


def is_visible(content: Json, view: View, defined: ResourceDefinition, base: str) -> bool:
    """Whether the resource, as its content tells, lies in the view. What the content cannot tell is not in it."""
    return _lies_in(content, view, defined, base, any)


def may_be_stored(content: Json, view: View, defined: ResourceDefinition, base: str) -> bool:
    """Whether it lies there and nowhere else: it names no patient beside those of the view (WR-03, WR-04).

    Nor may a server find one by what it says: a search, whatever stands before it (BT-05), another spelling.
    """
    return _lies_in(content, view, defined, base, partial(_all_known, content, defined, base))


def _all_known(content: Json, defined: ResourceDefinition, base: str, named: Iterable[bool]) -> bool:
    return all(named) and not any(may_name_any_patient(element, base) for element in _owners(content, defined))


def _lies_in(
    content: Json, view: View, defined: ResourceDefinition, base: str, of_patients: Callable[[Iterable[bool]], bool]
) -> bool:
    return any(
        _is_of(content, alternative.who, defined, base, of_patients) and is_match(content, alternative.where)
        for alternative in view
    )


def _is_of(
    content: Json, who: Who, defined: ResourceDefinition, base: str, of_patients: Callable[[Iterable[bool]], bool]
) -> bool:
    match who:
        case Everybody():
            return True
        case OwnRecord(name, own_id):
            return (defined.name, content.get("id")) == (name, own_id)
        case Compartments(patients):
            named = list(named_patients(content, defined, base))
            return bool(named) and of_patients(patient in patients for patient in named)


def named_patients(content: Json, defined: ResourceDefinition, base: str) -> Iterator[str]:
    """The patients in whose compartments the resource lies, as far as it says so itself."""
    if defined.compartment.itself:
        if is_fhir_id(content.get("id")):
            yield content["id"]
        return
    for element in _owners(content, defined):
        target = reference_target(element, base)
        if target is not None and target[0] == "Patient":
            yield target[1]


def _owners(content: Json, defined: ResourceDefinition) -> Iterator[Json]:
    """The references by which a resource lies in compartments."""
    if not defined.compartment.itself:
        for path in defined.compartment.paths:
            yield from elements_at(content, path)


def _out_of_scope(subject: Subject, name: str, letter: str) -> OutOfScope:
    """What is missing: a scope, or the patients that a scope which is there would be about (PC-20)."""
    reached = _by_context(subject, name)
    held = " ".join(scope.name for scope in subject.scopes)
    covering = [scope for context in CONTEXTS for scope in scopes_allowing(subject.scopes, context, name, letter)]
    if covering and covering[0].context not in reached:
        what = f"{covering[0].name} covers this, and the token names nobody whose records it reaches"
        return OutOfScope(what=what, rule="PC-20", presented=held)
    needed = ", ".join(f"{context}/{name}.{letter}" for context in reached or CONTEXTS)
    what = f"no scope of the token covers {letter} of {name}"
    return OutOfScope(what=what, rule="TV-20", presented=held or "no scope", expected=f"one that covers {needed}")


def _by_context(subject: Subject, name: str) -> dict[str, tuple[Who, ...]]:
    """What each context of a scope reaches of a type, before its restrictions."""
    reached: dict[str, tuple[Who, ...]] = {}
    if subject.patient:
        reached["patient"] = (Compartments(frozenset({subject.patient})),)
    if subject.patients or subject.own_record:
        own = _own_record(subject, name)
        reached["user"] = (Compartments(subject.patients), *([own] if own else []))
    if subject.is_backend:
        reached["system"] = (Everybody(),)
    return reached


def _own_record(subject: Subject, name: str) -> OwnRecord | None:
    return OwnRecord(*subject.own_record) if subject.own_record and subject.own_record[0] == name else None


@lru_cache(maxsize=1024)  # many tokens have the same scopes; nothing of a token itself is kept
def _opened(
    scopes: tuple[Scope, ...], name: str, letter: str, version: str, base: str
) -> dict[str, tuple[Criteria, ...]]:
    """What the scopes of each context open of a type, as criteria of which one set must be met."""
    defined = definitions(version).get(name)
    return {
        context: _restrictions(scopes_allowing(scopes, context, name, letter), defined, base) for context in CONTEXTS
    }


def _restrictions(scopes: tuple[Scope, ...], defined: ResourceDefinition | None, base: str) -> tuple[Criteria, ...]:
    """The criteria of which one set must be met: an empty set for a scope without; no set where nothing is allowed."""
    if any(not scope.query for scope in scopes):
        return ((),)
    return tuple(found for scope in scopes if (found := _criteria(scope, defined, base)))


def _criteria(scope: Scope, defined: ResourceDefinition | None, base: str) -> Criteria:
    """The restriction of one scope; () where it cannot be evaluated, so that it allows nothing (GR-15, SCP-11)."""
    if defined is None:
        return ()
    try:
        return scope_criteria(scope.query, defined, base)
    except UnsupportedCriterion:
        return ()
