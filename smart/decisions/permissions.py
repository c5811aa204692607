"""Enforcement: what a caller may do with one resource type, by which scopes, and whose records these reach."""

from dataclasses import dataclass, replace
from typing import TypeAlias, Unpack

from smart.decisions.caller import Caller
from smart.explanation import Why
from smart.fhir.definitions import ResourceDefinition
from smart.openid.standard_claims import has_fhir_user
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import scopes_allowing
from smart.search.criteria import Criterion, UnsupportedCriterion, scope_criteria

CONTEXTS = ("patient", "user", "system")

Alternatives: TypeAlias = tuple[tuple[Criterion, ...], ...]


class OutOfScope(Exception):
    """The scopes do not allow this, and by which line of the checklist."""

    def __init__(self, **why: Unpack[Why]) -> None:
        super().__init__(why.get("what", ""))
        self.why = why


@dataclass(frozen=True, slots=True)
class Permission:
    """Whose records (None: everybody's), and which of them: those that meet one of the alternatives (none: all)."""

    patients: frozenset[str] | None
    alternatives: Alternatives = ()
    own_record: tuple[str, str] | None = None


# patient/ and user/ scopes of one token add up: a record is open where any of them reaches it (SCP-05)
Permissions: TypeAlias = tuple[Permission, ...]


def permissions_of(
    caller: Caller, name: str, letter: str, resource_type: ResourceDefinition | None, base: str
) -> Permissions:
    """How far the scopes reach for one letter on one type, known or not. Raises OutOfScope."""
    found = [
        replace(permission, alternatives=alternatives)
        for context, permission in _by_context(caller).items()
        if (alternatives := _alternatives(scopes_allowing(caller.scopes, context, name, letter), resource_type, base))
        is not None
    ]
    if letter == "r" and _is_own_type(caller, name) and has_fhir_user(caller.scopes):
        # fhirUser can be read with its own token (SMART App Launch, scopes for identity data; ID-03)
        found.append(Permission(frozenset(), own_record=caller.own_record))
    if not found:
        raise _out_of_scope(caller, name, letter)
    return tuple(found)


def _out_of_scope(caller: Caller, name: str, letter: str) -> OutOfScope:
    """What is missing: a scope, or whom a scope that is there would be about (PC-20)."""
    held = " ".join(scope.name for scope in caller.scopes)
    covering = [scope for context in CONTEXTS for scope in scopes_allowing(caller.scopes, context, name, letter)]
    if covering and covering[0].context not in _by_context(caller):
        what = f"{covering[0].name} covers this, and the token names nobody whose records it reaches"
        return OutOfScope(what=what, rule="PC-20", presented=held)
    needed = ", ".join(f"{context}/{name}.{letter}" for context in _by_context(caller) or CONTEXTS)
    what = f"no scope of the token covers {letter} of {name}"
    return OutOfScope(what=what, rule="TV-20", presented=held or "no scope", expected=f"one that covers {needed}")


def _by_context(caller: Caller) -> dict[str, Permission]:
    """What each context of a scope reaches, before its restrictions."""
    reached: dict[str, Permission] = {}
    if caller.patient:
        reached["patient"] = Permission(frozenset({caller.patient}))
    if caller.patients or caller.own_record:
        reached["user"] = Permission(caller.patients, own_record=caller.own_record)
    if caller.is_backend:
        reached["system"] = Permission(None)
    return reached


def _is_own_type(caller: Caller, name: str) -> bool:
    return caller.own_record is not None and caller.own_record[0] == name


def _alternatives(
    scopes: tuple[Scope, ...], resource_type: ResourceDefinition | None, base: str
) -> Alternatives | None:
    """The restrictions of which one must be met, () for none at all; None where nothing is allowed."""
    if any(not scope.query for scope in scopes):
        return ()
    return tuple(found for scope in scopes if (found := _criteria(scope, resource_type, base))) or None


def _criteria(scope: Scope, resource_type: ResourceDefinition | None, base: str) -> tuple[Criterion, ...]:
    """The restriction of one scope; () where it cannot be evaluated, so that it allows nothing (GR-15, SCP-11)."""
    if resource_type is None:
        return ()
    try:
        return scope_criteria(scope.query, resource_type, base)
    except UnsupportedCriterion:
        return ()
