"""What a token allows at this base: judged from the claims alone, before anything is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir.search.criteria import Criterion, UnsupportedCriterion
from fhir.search.query import scope_criteria
from fhir.versions import ResourceType
from smart.fhir.audience import is_same_audience
from smart.fhir.elements import reference_target
from smart.fhir.id import is_fhir_id
from smart.openid.standard_claims import has_fhir_user
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import parse_scopes, scopes_allowing

PATIENTS = "__patients"  # smartauth's own member, told for user/ scopes


class Refused(Exception):
    """From `caller`: the token is worth nothing here. From `reach`: it does not allow that much."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who comes with the token: a patient's app, a person with what he may see, or a backend service.

    `patients` are those whom the person may see, `himself` the type and id of his own resource.
    """

    scopes: tuple[Scope, ...]
    patient: str = ""
    patients: frozenset[str] = frozenset()
    own_record: tuple[str, str] | None = None
    backend: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """Whose records (None: everybody's), and which of them: those that meet one of the alternatives (none: all)."""

    patients: frozenset[str] | None
    alternatives: tuple[tuple[Criterion, ...], ...] = ()
    own_record: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Permissions:
    """Everything that lies in one of the shares: patient/ and user/ scopes of one token add up (SCP-05)."""

    shares: tuple[Permission, ...]


def caller(claims: Mapping[str, Any] | None, base: str, now: float) -> Caller:
    """The caller that a live token for this very base speaks for (AL:access, RFC 9068 §4). Raises Refused."""
    if claims is None or not (_meant_for(claims.get("aud"), base) and _unexpired(claims.get("exp"), now)):
        raise Refused
    # a token bound to a key is worthless without its proof (RFC 9449 §7.2)
    if str(claims.get("token_type", "Bearer")).lower() != "bearer" or "cnf" in claims:
        raise Refused
    scope, patient = claims.get("scope"), claims.get("patient")
    backend = _backend(claims)
    return Caller(
        scopes=parse_scopes(scope) if isinstance(scope, str) else (),
        patient=patient if is_fhir_id(patient) else "",
        patients=frozenset() if backend else _patients(claims.get(PATIENTS)),
        own_record=None if backend else reference_target(claims.get("fhirUser"), base),
        backend=backend,
    )


def permissions_of(who: Caller, name: str, letter: str, resource_type: ResourceType | None, base: str) -> Permissions:
    """How far the scopes reach for one letter on one type, known or not (BS:enforce). Raises Refused."""
    whose: dict[str, Permission] = {}
    if who.patient:
        whose["patient"] = Permission(frozenset({who.patient}))
    if who.patients or who.own_record:
        whose["user"] = Permission(who.patients, own_record=who.own_record)
    if who.backend:
        whose["system"] = Permission(None)
    shares = [
        replace(share, alternatives=alternatives)
        for context, share in whose.items()
        if (alternatives := _allowed(scopes_allowing(who.scopes, context, name, letter), resource_type, base))
        is not None
    ]
    if letter == "r" and who.own_record is not None and who.own_record[0] == name and has_fhir_user(who.scopes):
        shares.append(
            Permission(frozenset(), own_record=who.own_record)
        )  # fhirUser can be read with its own token (ID-03)
    if not shares:
        raise Refused
    return Permissions(tuple(shares))


def _allowed(
    scopes: tuple[Scope, ...], resource_type: ResourceType | None, base: str
) -> tuple[tuple[Criterion, ...], ...] | None:
    """The restrictions of which one must be met, () for none at all; None where nothing is allowed."""
    if any(not scope.query for scope in scopes):
        return ()
    return tuple(found for scope in scopes if (found := _conditions(scope, resource_type, base))) or None


def _patients(listed: Any) -> frozenset[str]:
    """Whom the person may see, as the authorization server says; without its word, nobody."""
    listed = listed if isinstance(listed, list) else []
    return frozenset(patient for patient in listed if is_fhir_id(patient))


def _meant_for(audience: Any, base: str) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(name, str) and is_same_audience(name, base) for name in named)


def _unexpired(expiry: Any, now: float) -> bool:
    return isinstance(expiry, int | float) and not isinstance(expiry, bool) and expiry > now


def _backend(claims: Mapping[str, Any]) -> bool:
    """A client that speaks for itself (RFC 9068 §2.2); beside a person or patient it gets nothing (SY-03)."""
    subject = claims.get("sub")
    return bool(subject) and subject == claims.get("client_id") and not ("patient" in claims or "fhirUser" in claims)


def _conditions(scope: Scope, resource_type: ResourceType | None, base: str) -> tuple[Criterion, ...]:
    if resource_type is None:
        return ()
    try:
        return scope_criteria(scope.query, resource_type, base)
    except UnsupportedCriterion:
        return ()
