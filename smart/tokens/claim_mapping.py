"""How a claim mapping is written: JSON, each claim with where its value comes from, in which form (SD-17)."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from smart.http import strict_json

Rule: TypeAlias = Mapping[str, Any]
ClaimMapping: TypeAlias = Mapping[str, Rule]

_SCOPES, _RECORD, _PLAIN = ("text", "list"), ("id", "reference", "url", "list"), ("text",)
# What a claim may be made of, and in which forms; the first is meant where none is named.
FORMS: Mapping[str, tuple[str, ...]] = {
    "scope": _SCOPES,
    "scope_with_v1": _SCOPES,
    "scope_of_fhir_user": _SCOPES,
    "patient": _RECORD,
    "encounter": _RECORD,
    "practitioner": _RECORD,
    "fhirUser": ("url", "reference", "id", "list"),
    "sub": _PLAIN,
    "client_id": _PLAIN,
    "aud": _PLAIN,
    "tenant": _PLAIN,
}
RECORDS = frozenset({"patient", "encounter", "practitioner", "fhirUser"})
# RFC 7519, 7662, 9068, OpenID Connect and SMART give these their meaning; roles, groups and entitlements are the
# server's own to fill (RFC 9068 §2.2.3.1).
RESERVED = frozenset({
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "active", "scope", "client_id", "username", "token_type", "cnf",
    "act", "may_act", "authorization_details", "auth_time", "acr", "amr", "azp", "nonce", "sid", "at_hash", "c_hash",
    "s_hash", "events", "txn", "toe", "vot", "vtm",
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
    "website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number",
    "phone_number_verified", "address", "updated_at",
    "access_token", "refresh_token", "id_token", "expires_in",
    "patient", "encounter", "fhirContext", "need_patient_banner", "intent", "smart_style_url", "tenant",
})  # fmt: skip
MAX_LENGTH, MAX_CLAIMS = 4000, 20

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,99}")


class InvalidMapping(ValueError):
    """What is wrong in a claim mapping, in words for who wrote it."""


def parse_mapping(text: str) -> ClaimMapping:
    """The mapping that a text holds. Raises InvalidMapping."""
    if len(text) > MAX_LENGTH:
        raise InvalidMapping(f"longer than {MAX_LENGTH} characters")
    try:
        found = strict_json.loads(text)
    except strict_json.DuplicateMember:
        raise InvalidMapping("a name stands twice") from None
    except ValueError as error:
        raise InvalidMapping(f"not JSON: {error}") from None
    if not isinstance(found, dict) or not 0 < len(found) <= MAX_CLAIMS:
        raise InvalidMapping(f"must be a JSON object that names 1 to {MAX_CLAIMS} claims")
    for name, rule in found.items():
        _check_claim(name, rule)
    return found


def _check_claim(name: str, rule: Any) -> None:
    if not _NAME.fullmatch(name) or name.startswith("__"):
        raise InvalidMapping(f"{name!r} cannot be the name of a claim")
    if name in RESERVED:
        raise InvalidMapping(f"{name} has a meaning of its own and cannot be set")
    if not isinstance(rule, dict) or set(rule) not in ({"from"}, {"from", "as"}, {"value"}):
        raise InvalidMapping(f'{name}: write {{"from": ...}}, {{"from": ..., "as": ...}} or {{"value": ...}}')
    if "value" in rule:
        _check_value(name, rule["value"])
    else:
        _check_source(name, rule["from"], rule.get("as"))


def _check_source(name: str, source: Any, form: Any) -> None:
    if not isinstance(source, str) or source not in FORMS:
        raise InvalidMapping(f"{name}: from must be one of {', '.join(FORMS)}, not {source!r}")
    if form is not None and form not in FORMS[source]:
        raise InvalidMapping(f"{name}: as must be one of {', '.join(FORMS[source])}, not {form!r}")
    if name == "fhirUser" and (source, form or "url") != ("fhirUser", "url"):
        raise InvalidMapping("fhirUser: can only come from fhirUser, as url")


def _check_value(name: str, value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    if name == "fhirUser" or not texts or not all(map(_is_fixed, texts)):
        raise InvalidMapping(f"{name}: value must be text in one line, true, false, or a list of them")


def _is_fixed(value: Any) -> bool:
    """Half a surrogate pair is no text: no token could be signed with it."""
    return isinstance(value, bool) or (isinstance(value, str) and value.isprintable())
