"""The format of a seed file: which keys there are, and of what shape their values (docs/seed-file.md)."""

from pathlib import Path
from typing import Any

import yaml

from accounts.usernames import compose_username, normalize_username
from oauth.seeding.schema import (
    SeedError,
    all_or_each,
    claim_mapping,
    each,
    flag,
    line,
    mapping,
    name,
    number,
    text,
    word,
    word_list,
    words,
    yes_or_no,
)
from smart.fhir.audience import canonical_url
from smart.text import ascii_excerpt


def read_seed(file: Path, *, issuer: str) -> dict[str, Any]:
    """What the file says, `{issuer}` replaced, only the keys that are written in it. Raises SeedError."""
    try:
        found = _Loader(file.read_text(encoding="utf-8").replace("{issuer}", issuer)).get_single_data()
        seed: dict[str, Any] = SEED(found, "")
    except (OSError, ValueError) as error:  # no UTF-8, or a path that no file can have
        raise SeedError(ascii_excerpt(str(file), 1000), f"cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise SeedError(str(file), f"is not YAML: {error}") from None
    except RecursionError:
        raise SeedError(str(file), "is not YAML that can be read: it is nested too deeply") from None
    return seed


class _Loader(yaml.BaseLoader):
    """Every value is text, so that 007, no and 2017-05-04 stay what was written; a key written twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


# The format ---------------------------------------------------------------------------------------------------------


def _base(value: Any, path: str) -> str:
    return canonical_url(text(value, path))


def _username(value: Any, path: str) -> str:
    return compose_username(text(value, path))


def _by(key: str) -> Any:
    return lambda entry: (key, entry[key])


ENCOUNTER = mapping({"id": text, "kind": name, "day": text, "place": name}, required=("id",))
PATIENT = mapping(
    {
        "id": text,
        "encounters": each(ENCOUNTER, unique=_by("id")),
        "name": name,
        "sex": text,
        "birth_date": text,
        "record_number": name,
        "died": text,
    },
    required=("id",),
)
FHIR_SERVER = mapping(
    {
        "base": _base,
        "name": name,
        "version": text,
        "token_format": text,
        "signing_algorithm": text,
        "address_policy": text,
        "access_token_seconds": number,
        "claim_profile": text,
        "claim_mapping": claim_mapping,
        "v1_equivalents": flag,
        "patient_source": text,
        "patients": each(PATIENT, unique=_by("id")),
        "patients_from": line,
    },
    required=("base", "name"),
)
IDENTITY = mapping(
    {"fhir_server": _base, "fhir_user": text, "acts_for": all_or_each(text)},
    required=("fhir_server", "fhir_user"),
)
PERSON = mapping(
    {
        "username": _username,
        "name": name,
        "given_name": name,
        "family_name": name,
        "locale": text,
        "email": text,
        "email_verified": flag,
        "password": line,
        "operator": yes_or_no,
        "identities": each(IDENTITY, unique=_by("fhir_server")),
    },
    required=("username",),
)
PROTECTS = mapping({"fhir_server": _base, "tells_addresses": flag}, required=("fhir_server",))
CLIENT = mapping(
    {
        "client_id": text,
        "name": name,
        "maker": name,
        "authentication": text,
        "profile": text,
        "secret": line,
        "jwks_file": line,
        "jwks_uri": text,
        "application_type": text,
        "grants": word_list,
        "scope": words,
        "fhir_servers": each(_base),
        "redirect_uris": word_list,
        "launch_urls": word_list,
        "launch_url": word,
        "post_logout_redirect_uris": word_list,
        "allowed_origins": word_list,
        "supersede": text,
        "tokens_to_keep": number,
        "address_policy": text,
        "access_token_seconds": number,
        "refresh_token_seconds": number,
        "allows_missing_state": flag,
        "fhir_context_as_text": flag,
        "refuses_unknown_scopes": flag,
        "always_asks_consent": yes_or_no,
        "backend_patient": text,
        "backend_by_secret": flag,
        "protects": each(PROTECTS, unique=_by("fhir_server")),
    },
    required=("client_id", "name", "authentication"),
)
SEED = mapping(
    {
        "demo": yes_or_no,
        "fhir_servers": each(FHIR_SERVER, unique=_by("base")),
        "people": each(PERSON, unique=lambda entry: ("username", normalize_username(entry["username"]).casefold())),
        "clients": each(CLIENT, unique=_by("client_id")),
    },
)
