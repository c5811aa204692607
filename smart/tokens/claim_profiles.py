"""Claim profiles: what resource servers read beside the standard's members, in their words and forms (SD-17).

A profile only adds. What the standard says stays as it is, under every profile (IN-02, IN-03).
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from smart.scopes.scope_sets import parse_scopes, scope_string
from smart.scopes.v1_scopes import with_v1
from smart.tokens.claim_mapping import FORMS, RECORDS, ClaimMapping, InvalidMapping, Rule, parse_mapping

CUSTOM = "custom"
MAX_JWT_CLAIMS = 8192 - 800  # room for the header, jti and the signature, RS256's included (SCP-21)


class IssuedToken(NamedTuple):
    """What is known of a token when it is issued. `fhir_user` is such as Patient/amy, "" for nobody."""

    claims: Mapping[str, Any]
    fhir_user: str

    @property
    def base(self) -> str:
        return str(self.claims["aud"])

    @property
    def scope(self) -> str:
        return str(self.claims["scope"])


@cache
def profiles() -> Mapping[str, ClaimMapping]:
    """The profiles of claim_profiles.json."""
    table: dict[str, ClaimMapping] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=256)
def profile_mapping(profile: str, own: str) -> ClaimMapping:
    """The mapping of that profile, or the operator's own. One that cannot be read adds nothing."""
    if profile != CUSTOM:
        return profiles().get(profile, {})
    try:
        return parse_mapping(own)
    except InvalidMapping:
        return {}


def mapping_problem(profile: str, own: str) -> str:
    """What is wrong with the operator's mapping beside that profile, or ""; only the own profile needs one."""
    if not own and profile != CUSTOM:
        return ""
    try:
        parse_mapping(own)
    except InvalidMapping as problem:
        return str(problem)
    return ""


def extra_claims(rules: ClaimMapping, token: IssuedToken) -> dict[str, Any]:
    """The members that the mapping adds; one without a value is left out, and none replaces the standard's."""
    told = {name: _value(rule, token) for name, rule in rules.items() if name not in token.claims}
    return {name: value for name, value in told.items() if value not in ("", [])}


def jwt_claims(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a JWT: with those of the profile, unless they would make it too long to send (SCP-21)."""
    both = {**claims, **more}
    return both if len(json.dumps(both)) * 4 // 3 <= MAX_JWT_CLAIMS else dict(claims)


def _value(rule: Rule, token: IssuedToken) -> Any:
    if "value" in rule:
        return rule["value"]
    source = rule["from"]
    found, form = _SOURCES[source](token), rule.get("as", FORMS[source][0])
    return _record(found, form, token.base) if source in RECORDS else _words(found, form)


def _words(found: str, form: str) -> str | list[str]:
    return found.split() if form == "list" else found


def _record(reference: str, form: str, base: str) -> str | list[str]:
    """A record by its id, its reference, its address, or as a list of ids with this one."""
    key = reference.partition("/")[2]
    forms: dict[str, str | list[str]] = {"id": key, "reference": reference, "url": f"{base}/{reference}", "list": [key]}
    return forms[form] if reference else ""


def _claim(claim: str) -> Callable[[IssuedToken], str]:
    return lambda token: str(token.claims.get(claim, ""))


def _of(kind: str, claim: str) -> Callable[[IssuedToken], str]:
    return lambda token: f"{kind}/{token.claims[claim]}" if token.claims.get(claim) else ""


def _practitioner(token: IssuedToken) -> str:
    return token.fhir_user if token.fhir_user.startswith("Practitioner/") else ""


def _of_fhir_user(token: IssuedToken) -> str:
    """The scopes for a server that knows no patient but fhirUser: others would be read as the user's."""
    is_patient = token.fhir_user == f"Patient/{token.claims.get('patient')}"
    return scope_string(scope for scope in parse_scopes(token.scope) if scope.context != "patient" or is_patient)


_SOURCES: Mapping[str, Callable[[IssuedToken], str]] = {
    "scope": lambda token: token.scope,
    "scope_with_v1": lambda token: with_v1(token.scope),
    "scope_of_fhir_user": _of_fhir_user,
    "patient": _of("Patient", "patient"),
    "encounter": _of("Encounter", "encounter"),
    "practitioner": _practitioner,
    "fhirUser": lambda token: token.fhir_user,
    **{claim: _claim(claim) for claim in ("sub", "client_id", "aud", "tenant")},
}
