"""The one read of introspection: caller, secret, right to ask, token, authorization, seat, epochs, for many at once."""

from typing import Annotated, NamedTuple

from oauth.http.postgresql_session import TAKES_NO_WRITES
from oauth.models import sql
from smart.tokens import liveness
from smart.tokens.liveness import Dead

_ADDRESS_POLICIES = "CASE WHEN r.tells_addresses = 1 THEN f.address_policy || ' ' || k.address_policy END"


class LookupRow(NamedTuple):
    """A row of the statement. What was not found is None.

    Each field stands beside its SQL: t is the token, s its seat, a its authorization, u the user, k the client that has
    it, f its FHIR server, c the client that asks, r its role there, q the place of this request among those that wait.
    `address_policies` are those of FHIR server and client, None for a caller whose word about addresses is not taken.
    """

    token: Annotated[int | None, "t.id"]
    claims: Annotated[str, "t.claims"]
    scope: Annotated[str, "t.scope"]
    issued_at: Annotated[int, "t.issued_at"]
    expires_at: Annotated[int, "t.expires_at"]
    revoked_at: Annotated[int, "t.revoked_at"]
    seat: Annotated[int | None, "t.seat_id"]
    seat_number: Annotated[int, "t.seat_number"]
    seat_latest: Annotated[int, "s.latest"]
    tokens_to_keep: Annotated[int, "k.tokens_to_keep"]
    authorization: Annotated[int, "a.id"]
    authorization_epoch: Annotated[int, "a.epoch"]
    token_authorization_epoch: Annotated[int, "t.authorization_epoch"]
    granted_user_epoch: Annotated[int, "a.user_epoch"]
    user_epoch: Annotated[int | None, "u.epoch"]
    user_suspended_at: Annotated[int | None, "u.stopped_at"]
    granted_client_epoch: Annotated[int, "a.client_epoch"]
    client_epoch: Annotated[int, "k.epoch"]
    client_enabled: Annotated[int, "k.enabled"]
    granted_fhir_server_epoch: Annotated[int, "a.fhir_server_epoch"]
    fhir_server_epoch: Annotated[int, "f.epoch"]
    use_address: Annotated[str | None, "a.use_address"]
    used_at: Annotated[int, "a.used_at"]
    flagged_at: Annotated[int, "a.flagged_at"]
    caller_authentication: Annotated[str | None, "c.authentication"]
    caller_enabled: Annotated[int, "c.enabled"]
    caller_secret: Annotated[str, "c.secret_digest"]
    caller_old_secret: Annotated[str, "c.old_secret_digest"]
    caller_old_secret_until: Annotated[int, "c.old_secret_until"]
    role: Annotated[int | None, "r.id"]
    fhir_server: Annotated[int | None, "a.fhir_server_id"]
    fhir_server_version: Annotated[str | None, "f.version"]
    address_policies: Annotated[str | None, _ADDRESS_POLICIES]
    position: Annotated[int, "q.position"]


def dead_reason(row: LookupRow, now: int) -> Dead | None:
    """Why the token of that row is dead, None while it lives."""
    return liveness.dead_reason(
        now=now,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        seat=(row.seat_number, row.seat_latest, row.tokens_to_keep) if row.seat is not None else None,
        authorization_epochs=(row.token_authorization_epoch, row.authorization_epoch),
        user_epochs=(row.granted_user_epoch, row.user_epoch) if row.user_epoch is not None else None,
        client_epochs=(row.granted_client_epoch, row.client_epoch),
        client_enabled=row.client_enabled,
        fhir_server_epochs=(row.granted_fhir_server_epoch, row.fhir_server_epoch),
        user_suspended_at=row.user_suspended_at or 0,
    )


_JOINS = """
LEFT JOIN oauth_client c ON c.client_id = q.caller
LEFT JOIN oauth_accesstoken t ON t.digest = q.digest
LEFT JOIN oauth_authorization a ON a.id = t.authorization_id
LEFT JOIN oauth_seat s ON s.id = t.seat_id
LEFT JOIN accounts_user u ON u.id = a.user_id
LEFT JOIN oauth_client k ON k.id = a.client_id
LEFT JOIN oauth_fhirserver f ON f.id = a.fhir_server_id
LEFT JOIN oauth_resourceserver r ON r.client_id = c.id AND r.fhir_server_id = f.id
"""
# A server that takes no writes finds no row at all, not even one that says that there is no token.
# PostgreSQL looks into those partitions alone that the bounds leave.
_WITHIN = _JOINS.replace("t.digest = q.digest", "t.digest = q.digest AND t.expires_at BETWEEN %s AND %s")
POSTGRESQL = sql.select(
    LookupRow,
    f"""
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS q (digest, caller, position) {_WITHIN}
WHERE NOT {TAKES_NO_WRITES}
""",  # no value is part of the text
).text
SQLITE = sql.select(
    LookupRow,
    f"""
FROM (SELECT key + 1 AS position, value ->> 0 AS digest, value ->> 1 AS caller FROM json_each(?)) AS q {_JOINS}
""",  # noqa: S608  # no value is part of the text
).text
