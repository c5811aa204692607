"""What follows when an authorization turns up at another address (PR-06): flagged, stopped there, or ended."""

from django.db import connection

from audit.event_kinds import EventKind
from audit.trail import record
from oauth.tokens.authorization_state import AuthorizationState
from smart.http.addresses import caller_network
from smart.time_units import SECOND
from smart.tokens import address_binding

NOTED_EVERY = 86_400 * SECOND

# One event an authorization and address a day, however many requests come and in how many processes.
_NOTE = """
INSERT INTO oauth_addresschange (authorization_id, address, noted_at) VALUES (%s, %s, %s)
ON CONFLICT (authorization_id, address) DO UPDATE SET noted_at = excluded.noted_at
    WHERE oauth_addresschange.noted_at <= %s
RETURNING id
"""
_FLAG = "UPDATE oauth_authorization SET flagged_at = %s WHERE id = %s"
_END = """
UPDATE oauth_authorization SET epoch = epoch + 1, ended_at = %s, ended_for = 'address-changed'
WHERE id = %s AND ended_at = 0
RETURNING id
"""
_BLOCK = """
INSERT INTO oauth_addressblock (user_id, client_id, address, blocked_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (user_id, client_id) DO UPDATE SET address = excluded.address, blocked_at = excluded.blocked_at
"""


def apply_address_policy(
    grant: AuthorizationState, address: str, *, bound: str, at: str, now: int, token: str = ""
) -> None:
    """Writes down that it was used `at` this address and does what its policy says, in the caller's transaction."""
    policy = grant.address_policy
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [grant.authorization_id, caller_network(address), now, now - NOTED_EVERY])
        if cursor.fetchone():
            cursor.execute(_FLAG, [now, grant.authorization_id])
            reason = f"{at}, from {bound}, policy {policy}"
            record(grant.event(EventKind.ADDRESS_CHANGED, at=now, address=address, token=token, reason=reason))
        if policy in address_binding.STOPPING and grant.user_pk:
            cursor.execute(_BLOCK, [grant.user_pk, grant.client_pk, address, now])
    if policy == address_binding.END:
        _end_authorization(grant, address, now=now)


def _end_authorization(grant: AuthorizationState, address: str, *, now: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, [now, grant.authorization_id])
        if cursor.fetchone():
            grant.record(EventKind.AUTHORIZATION_ENDED, at=now, address=address, reason="used at another address")
