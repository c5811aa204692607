"""What a token allows at this base: judged from the claims alone, before anything is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir.elements import ID
from fhir.matching import Criterion, Unusable
from fhir.search import conditions
from fhir.versions import ResourceType
from smart.audience import same_audience
from smart.scopes import Scope, allowing, parse


class Refused(Exception):
    """From `caller`: the token is worth nothing here. From `reach`: it does not allow that much."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who comes with the token: at most one of a patient's app and a backend service."""

    scopes: tuple[Scope, ...]
    patient: str = ""
    backend: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records (None: everybody's), and which of them: those that meet one of the alternatives (none: all)."""

    patient: str | None
    alternatives: tuple[tuple[Criterion, ...], ...] = ()


def caller(claims: Mapping[str, Any] | None, base: str, now: float) -> Caller:
    """The caller that a live token for this very base speaks for (AL:access, RFC 9068 §4). Raises Refused."""
    if claims is None or not (_meant_for(claims.get("aud"), base) and _unexpired(claims.get("exp"), now)):
        raise Refused
    # a token bound to a key is worthless without its proof (RFC 9449 §7.2)
    if str(claims.get("token_type", "Bearer")).lower() != "bearer" or "cnf" in claims:
        raise Refused
    scope, patient = claims.get("scope"), claims.get("patient")
    return Caller(
        scopes=parse(scope) if isinstance(scope, str) else (),
        patient=patient if isinstance(patient, str) and ID.fullmatch(patient) else "",
        backend=_backend(claims),
    )


def reach(who: Caller, name: str, letter: str, resource_type: ResourceType | None, base: str) -> Reach:
    """How far the scopes reach for one letter on one type, known or not (BS:enforce). Raises Refused.

    user/ scopes reach nothing: this server does not know yet whose patients a person may see.
    """
    context = "patient" if who.patient else "system" if who.backend else ""
    scopes = allowing(who.scopes, context, name, letter)
    patient = who.patient or None
    if any(not scope.query for scope in scopes):
        return Reach(patient)
    alternatives = tuple(found for scope in scopes if (found := _conditions(scope, resource_type, base)))
    if not alternatives:
        raise Refused
    return Reach(patient, alternatives)


def _meant_for(audience: Any, base: str) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(name, str) and same_audience(name, base) for name in named)


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
        return conditions(scope.query, resource_type, base)
    except Unusable:
        return ()
