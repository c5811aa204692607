"""Kinds of the catalogue for a backend service: its scopes are of the system, and nobody has signed in."""

import json
import re
from collections.abc import Callable

from oauth.workbench.minting.good_token import CannotMint, Claims, GoodToken
from smartauth_probe.bad_claims import PATIENT, Change

ENDS_ALL = ("authorization-ended", "person-ended", "client-ended", "client-disabled", "address-blocked")
OF_A_PATIENT = {*PATIENT, "claims-doubled", "backend-with-patient"} - {"user-without-person"}
_CONTEXT = re.compile(r"patient(?=/)", re.IGNORECASE)


def require_service_kind(name: str, *, has_patient: bool) -> None:
    """Raises CannotMint for a kind that no token of a service can be of."""
    if name in ENDS_ALL:
        raise CannotMint("all tokens of a service hang on one authorization, and this would end them all")
    if name == "launch-handle":
        raise CannotMint("no EHR launches a service")
    if name in OF_A_PATIENT and not has_patient:
        raise CannotMint("a token of a service has no patient in context, unless its client is bound to one")


def with_system_scopes(good: GoodToken, change: Change) -> Change:
    """The same change, with the scopes of a service in a token of one."""
    if "system/" not in str(good.claims.get("scope", "")):
        return change
    return lambda claims, of: _of_system(change(claims, of))


def _of_system(claims: Claims) -> Claims:
    if "scope" not in claims:
        return claims
    return {**claims, "scope": json.loads(_CONTEXT.sub(_system_like, json.dumps(claims["scope"])))}


def _system_like(found: re.Match[str]) -> str:
    """In the same case: what is wrong with it may be that."""
    cases: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize)
    return next((case("system") for case in cases if case(found[0]) == found[0]), "system")
