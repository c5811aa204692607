"""Reads a seed file: its shape, its values, and where in the file something is wrong (docs/seed-file.md)."""

import re
from pathlib import Path
from typing import Any

import yaml

from oauth.seeding.schema import (  # fmt: skip
    SeedError,
    all_or_each,
    base,
    claim_mapping,
    each,
    flag,
    like,
    mapping,
    one_of,
    text,
    web_address,
    whole,
    words,
    yes_or_no,
)
from smart.fhir import fhir_user
from smart.fhir import id as fhir_id_form
from smart.tokens.lifetimes import ACCESS_TOKEN_BOUND

_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SECRET = re.compile(r"[A-Za-z0-9._~-]+")


def read(file: Path, *, issuer: str) -> dict[str, Any]:
    """What the file says, checked, `{issuer}` replaced. Only the keys that are written in it. Raises SeedError."""
    try:
        loader = _Plain(file.read_text(encoding="utf-8").replace("{issuer}", issuer))
        found = loader.get_single_data()
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(str(file), f"cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise SeedError(str(file), f"is not YAML: {error}") from None
    seed: dict[str, Any] = SEED(found, "")
    return seed


class _Plain(yaml.BaseLoader):
    """Every value is text, so that 007, no and 2017-05-04 stay what was written; a key written twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if keys.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
        return super().construct_mapping(node, deep=deep)


# The format ---------------------------------------------------------------------------------------------------------

fhir_id = like(re.compile(fhir_id_form.PATTERN), "a FHIR id (letters, digits, - and ., at most 64)")
policy = one_of("off", "flag", "block", "end")
seconds = whole(0, ACCESS_TOKEN_BOUND)

ENCOUNTER = mapping(
    {"id": fhir_id, "kind": text, "day": like(_DAY, "a date such as 2026-11-03"), "place": text}, required=("id",)
)
PATIENT = mapping(
    {
        "id": fhir_id,
        "encounters": each(ENCOUNTER),
        "name": text,
        "sex": one_of("male", "female", "other", "unknown"),
        "birth_date": like(_DAY, "a date such as 2017-05-04"),
        "record_number": text,
        "died": like(re.compile(r"[0-9]{4}"), "a year"),
    },
    required=("id",),
)
FHIR_SERVER = mapping(
    {
        "base": base,
        "name": text,
        "version": one_of("dstu2", "stu3", "r4"),
        "token_format": one_of("jwt", "opaque"),
        "signing_algorithm": one_of("ES256", "RS256"),
        "address_policy": policy,
        "access_token_seconds": seconds,
        "claim_profile": one_of("smart", "node", "hapi", "google", "linuxforhealth", "aws", "microsoft", "custom"),
        "claim_mapping": claim_mapping,
        "v1_equivalents": flag,
        "patient_source": one_of("list", "search"),
        "patients": each(PATIENT),
        "patients_from": text,
    },
    required=("base", "name"),
)
IDENTITY = mapping(
    {
        "fhir_server": base,
        "fhir_user": like(re.compile(fhir_user.PATTERN), "such as Patient/amy"),
        "acts_for": all_or_each(fhir_id),
    },
    required=("fhir_server", "fhir_user"),
)
PERSON = mapping(
    {
        "username": like(re.compile(r"[\w.@+-]{1,150}"), "letters, digits and any of . @ + - _"),
        "name": text,
        "email": like(re.compile(r"[^@\s]+@[^@\s]+"), "an email address"),
        "email_verified": flag,
        "password": text,
        "operator": yes_or_no,
        "identities": each(IDENTITY),
    },
    required=("username",),
)
PROTECTS = mapping({"fhir_server": base, "tells_addresses": flag}, required=("fhir_server",))
CLIENT = mapping(
    {
        "client_id": like(_CLIENT_ID, "1 to 100 of A-Z a-z 0-9 . _ ~ -"),
        "name": text,
        "maker": text,
        "authentication": one_of("none", "secret", "keys"),
        "profile": one_of("smart", "openid"),
        "secret": like(_SECRET, "made of A-Z a-z 0-9 . _ ~ -"),
        "jwks_file": text,
        "jwks_uri": web_address,
        "application_type": one_of("web", "native"),
        "grants": each(one_of("authorization_code", "refresh_token", "client_credentials")),
        "scope": words,
        "fhir_servers": each(base),
        "redirect_uris": each(text),
        "launch_url": text,
        "post_logout_redirect_uris": each(text),
        "allowed_origins": each(web_address),
        "supersede": one_of("default", "user-client", "user-client-patient", "grant", "client", "off"),
        "tokens_to_keep": whole(1, 1000),
        "address_policy": policy,
        "access_token_seconds": seconds,
        "refresh_token_seconds": whole(0, 999_999_999),
        "allows_missing_state": flag,
        "fhir_context_as_text": flag,
        "refuses_unknown_scopes": flag,
        "backend_patient": fhir_id,
        "backend_by_secret": flag,
        "protects": each(PROTECTS),
    },
    required=("client_id", "name", "authentication"),
)
SEED = mapping(
    {"demo": yes_or_no, "fhir_servers": each(FHIR_SERVER), "people": each(PERSON), "clients": each(CLIENT)},
)
