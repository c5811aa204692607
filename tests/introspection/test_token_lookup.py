"""What the one read of introspection says of a token: each reason why it is dead, from the columns that say so."""

from typing import Any

import pytest

from introspection.token_lookup import LookupRow, dead_reason
from smart.time_units import SECOND
from smart.tokens.liveness import Dead

NOW = 2_000_000_000 * SECOND
LIVE: dict[str, Any] = {
    "issued_at": NOW - SECOND, "expires_at": NOW + SECOND, "revoked_at": 0, "seat": 1, "seat_number": 3,
    "seat_latest": 3, "tokens_to_keep": 1, "token_authorization_epoch": 2, "authorization_epoch": 2,
    "granted_user_epoch": 4, "user_epoch": 4, "user_suspended_at": 0, "granted_client_epoch": 5, "client_epoch": 5,
    "client_enabled": 1, "granted_fhir_server_epoch": 6, "fhir_server_epoch": 6,
}  # fmt: skip


def row(**changes: Any) -> LookupRow:
    return LookupRow(**{**dict.fromkeys(LookupRow._fields), **LIVE, **changes})


@pytest.mark.requirement("IN-06", "PR-08")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"seat_latest": 4}, Dead.SUPERSEDED),
        ({"seat_latest": 4, "tokens_to_keep": 2}, None),
        ({"seat": None, "seat_latest": 4}, None),
        ({"revoked_at": 1}, Dead.REVOKED),
        ({"expires_at": NOW}, Dead.EXPIRED),
        ({"issued_at": NOW + 61 * SECOND}, Dead.EXPIRED),
        ({"authorization_epoch": 3}, Dead.ENDED),
        ({"client_enabled": 0}, Dead.CLIENT_DISABLED),
        ({"client_epoch": 6}, Dead.CLIENT_ENDED),
        ({"user_epoch": 5}, Dead.PERSON_ENDED),
        ({"user_epoch": None}, None),
        ({"user_suspended_at": 1}, Dead.PERSON_SUSPENDED),
        ({"user_epoch": None, "user_suspended_at": None}, None),
        ({"fhir_server_epoch": 7}, Dead.FHIR_SERVER_ENDED),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else str(value),
)
def test_a_token_is_dead_for_what_one_column_says(changes: dict[str, Any], reason: Dead | None) -> None:
    assert dead_reason(row(**changes), NOW) is reason
