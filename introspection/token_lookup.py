"""The one read of introspection: caller, secret, right to ask, token, authorization, seat, epochs, for many at once."""

from typing import NamedTuple

_COLUMNS = """
    t.id, t.claims, t.scope, t.expires_at, t.revoked_at, t.seat_id, t.seat_number, s.latest, k.tokens_to_keep,
    a.id, a.epoch, t.authorization_epoch, a.user_epoch, u.epoch, u.stopped_at, a.client_epoch, k.epoch, k.enabled,
    a.use_address, a.used_at, a.flagged_at,
    c.authentication, c.enabled, c.secret_digest, c.old_secret_digest, c.old_secret_until, r.id, a.fhir_server_id,
    CASE WHEN r.tells_addresses = 1 THEN f.address_policy || ' ' || k.address_policy END
"""
_JOINS = """
LEFT JOIN oauth_client c ON c.client_id = q.caller
LEFT JOIN oauth_accesstoken t ON t.digest = q.digest
LEFT JOIN oauth_authorization a ON a.id = t.authorization_id
LEFT JOIN oauth_seat s ON s.id = t.seat_id
LEFT JOIN accounts_user u ON u.id = a.user_id
LEFT JOIN oauth_client k ON k.id = a.client_id
LEFT JOIN oauth_resourceserver r ON r.client_id = c.id AND r.fhir_server_id = a.fhir_server_id
LEFT JOIN oauth_fhirserver f ON f.id = r.fhir_server_id
"""
POSTGRESQL = f"""
SELECT {_COLUMNS}, q.position
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS q (digest, caller, position) {_JOINS}
"""  # noqa: S608  # no value is part of the text
SQLITE = f"""
SELECT {_COLUMNS}, q.position
FROM (SELECT key + 1 AS position, value ->> 0 AS digest, value ->> 1 AS caller FROM json_each(?)) AS q {_JOINS}
"""  # noqa: S608  # no value is part of the text


class LookupRow(NamedTuple):
    """A row of the statement. What was not found is None.

    `address_policies` are those of FHIR server and client, None for a caller whose word about addresses is not taken.
    """

    token: int | None
    claims: str
    scope: str
    expires_at: int
    revoked_at: int
    seat: int | None
    seat_number: int
    seat_latest: int
    tokens_to_keep: int
    authorization: int
    authorization_epoch: int
    token_authorization_epoch: int
    granted_user_epoch: int
    user_epoch: int | None
    user_stopped_at: int | None
    granted_client_epoch: int
    client_epoch: int
    client_enabled: int
    use_address: str | None
    used_at: int
    flagged_at: int
    caller_authentication: str | None
    caller_enabled: int
    caller_secret: str
    caller_old_secret: str
    caller_old_secret_until: int
    role: int | None
    fhir_server: int | None
    address_policies: str | None
    position: int
