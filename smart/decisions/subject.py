"""Who a token speaks for (AuthZEN §5.1), by its claims alone, with nothing looked up (RFC 9068 §4, RFC 7662 §2.2)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Unpack

from smart.explanation import Why
from smart.fhir.audience import is_same_audience
from smart.fhir.elements import reference_target
from smart.fhir.id import is_fhir_id
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import parse_scopes

PATIENTS = "__patients"  # smartauth's own member of introspection, for user/ scopes


class InvalidClaims(Exception):
    """The token is worth nothing at this base, and by which line of the checklist."""

    def __init__(self, **why: Unpack[Why]) -> None:
        super().__init__(why.get("what", ""))
        self.why = why


class Subject(NamedTuple):
    """A patient's app, a person with what they may see, or a backend service.

    `patients` are those that the person may see, `own_record` the type and id of the person's own resource.
    """

    scopes: tuple[Scope, ...]
    patient: str = ""
    patients: frozenset[str] = frozenset()
    own_record: tuple[str, str] | None = None
    is_backend: bool = False


def read_subject(claims: Mapping[str, Any] | None, base: str, now: float) -> Subject:
    """The subject that a live token for this very base speaks for (RFC 9068 §4, AL:access). Raises InvalidClaims."""
    if claims is None:
        raise InvalidClaims(what="the authorization server says that the token is not active", rule="TV-05")
    _require_valid(claims, base, now)
    scope, patient = claims.get("scope"), claims.get("patient")
    backend = _is_backend(claims)
    return Subject(
        scopes=_scopes_of(scope) if isinstance(scope, str) else (),
        patient=patient if is_fhir_id(patient) else "",
        patients=frozenset() if backend else _patients(claims.get(PATIENTS)),
        own_record=None if backend else reference_target(claims.get("fhirUser"), base),
        is_backend=backend,
    )


def _require_valid(claims: Mapping[str, Any], base: str, now: float) -> None:
    audience = claims.get("aud")
    if not _is_meant_for(audience, base):
        raise InvalidClaims(
            what="the token is for another FHIR server",
            rule="TV-07",
            presented=f"aud {audience}",
            expected=f"aud {base}",
        )
    require_unexpired(claims.get("exp"), now)
    # a token bound to a key is worthless without its proof (RFC 9449 §7.2)
    if str(claims.get("token_type", "Bearer")).lower() != "bearer" or "cnf" in claims:
        raise InvalidClaims(what="the token is bound to a key, and came without a proof", rule="TV-22")


def require_active(claims: Mapping[str, Any]) -> None:
    """Raises InvalidClaims unless they say so by the boolean; a kind of the catalogue of faults says "true", a text."""
    if claims.get("active") is not True:
        raise InvalidClaims(what="active is not the boolean true", rule="TV-15")


def require_unexpired(expiry: Any, now: float) -> None:
    """Raises InvalidClaims unless it is a time to come, in seconds."""
    if not (isinstance(expiry, int | float) and not isinstance(expiry, bool) and expiry > now):
        raise InvalidClaims(what="the token has expired, or never says when it will", rule="TV-03")


def _patients(listed: Any) -> frozenset[str]:
    """The patients that the person may see, as the authorization server says; without its word, none."""
    return frozenset(filter(is_fhir_id, listed)) if isinstance(listed, list) else frozenset()


@lru_cache(maxsize=1024)  # many tokens have the same scopes; nothing of a token itself is kept
def _scopes_of(text: str) -> tuple[Scope, ...]:
    return parse_scopes(text)


def _is_meant_for(audience: Any, base: str) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(name, str) and (name == base or is_same_audience(name, base)) for name in named)


def _is_backend(claims: Mapping[str, Any]) -> bool:
    """A client that speaks for itself (RFC 9068 §2.2); beside a person or patient it gets nothing (SY-03)."""
    subject = claims.get("sub")
    return bool(subject) and subject == claims.get("client_id") and not ("patient" in claims or "fhirUser" in claims)
