"""What a token allows at this base: judged from the claims alone, before anything is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir.search.criteria import Criterion, Unusable
from fhir.search.query import conditions
from fhir.versions import ResourceType
from smart.fhir.audience import same_audience
from smart.fhir.elements import ID, pointed_at
from smart.openid.standard_claims import names_fhir_user
from smart.scopes import Scope, allowing, parse

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
    himself: tuple[str, str] | None = None
    backend: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """Whose records (None: everybody's), and which of them: those that meet one of the alternatives (none: all)."""

    patients: frozenset[str] | None
    alternatives: tuple[tuple[Criterion, ...], ...] = ()
    himself: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything that lies in one of the shares: patient/ and user/ scopes of one token add up (SCP-05)."""

    shares: tuple[Share, ...]


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
        scopes=parse(scope) if isinstance(scope, str) else (),
        patient=patient if isinstance(patient, str) and ID.fullmatch(patient) else "",
        patients=frozenset() if backend else _patients(claims.get(PATIENTS)),
        himself=None if backend else pointed_at(claims.get("fhirUser"), base),
        backend=backend,
    )


def reach(who: Caller, name: str, letter: str, resource_type: ResourceType | None, base: str) -> Reach:
    """How far the scopes reach for one letter on one type, known or not (BS:enforce). Raises Refused."""
    whose: dict[str, Share] = {}
    if who.patient:
        whose["patient"] = Share(frozenset({who.patient}))
    if who.patients or who.himself:
        whose["user"] = Share(who.patients, himself=who.himself)
    if who.backend:
        whose["system"] = Share(None)
    shares = [
        replace(share, alternatives=alternatives)
        for context, share in whose.items()
        if (alternatives := _allowed(allowing(who.scopes, context, name, letter), resource_type, base)) is not None
    ]
    if letter == "r" and who.himself is not None and who.himself[0] == name and names_fhir_user(who.scopes):
        shares.append(Share(frozenset(), himself=who.himself))  # fhirUser can be read with its own token (ID-03)
    if not shares:
        raise Refused
    return Reach(tuple(shares))


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
    return frozenset(patient for patient in listed if isinstance(patient, str) and ID.fullmatch(patient))


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
