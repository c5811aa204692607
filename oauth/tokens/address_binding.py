"""Address binding (PR-03 to PR-06): where an authorization's tokens may be used and refreshed.

Two addresses are bound, never compared with each other: `token_address` at the code exchange (here), `use_address` at
the first use that a resource server tells of (`introspection.address_binding`). What another address means is decided
in `smart.tokens.address_binding`; what follows from it is written here: flagged, blocked there, or ended.
"""

from django.conf import settings

from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import sql
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.flag import flag
from smart.http.addresses import caller_network
from smart.time_units import DAY
from smart.tokens import address_binding

RECORDED_EVERY = DAY

_BIND = "UPDATE oauth_authorization SET token_address = %s WHERE id = %s"
# One event an authorization and address a day, however many requests come and in how many processes.
_NOTE = """
INSERT INTO oauth_addresschange (authorization_id, address, noted_at) VALUES (%s, %s, %s)
ON CONFLICT (authorization_id, address) DO UPDATE SET noted_at = excluded.noted_at
    WHERE oauth_addresschange.noted_at <= %s
RETURNING id
"""
_BLOCK = """
INSERT INTO oauth_addressblock (user_id, client_id, address, blocked_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (user_id, client_id) DO UPDATE SET address = excluded.address, blocked_at = excluded.blocked_at
"""


def bind_token_address(authorization: AuthorizationState, address: str) -> None:
    """Later refreshes are compared with the address of the exchange (PR-04)."""
    sql.execute(_BIND, [address, authorization.pk])


def policy_for_refresh(authorization: AuthorizationState, address: str) -> str:
    """What a refresh from this address meets: OFF where it may go on, else the policy (PR-06)."""
    return address_binding.policy_for_use(
        authorization.address_policy, authorization.token_address, address, settings.SMARTAUTH_ADDRESS_PREFIXES
    )


def apply_address_policy(
    authorization: AuthorizationState, address: str, *, bound: str, at: str, now: int, token: str = ""
) -> None:
    """Writes down that it was used `at` this address and does what its policy says, in the caller's transaction."""
    policy = authorization.address_policy
    if policy == address_binding.END:  # first: locks have one order, and this one locks the requests that wait
        access.end_authorization(authorization.pk, Actor(now=now, address=address), EndedFor.ADDRESS_CHANGED)
    if sql.value(_NOTE, [authorization.pk, caller_network(address), now, now - RECORDED_EVERY]):
        flag(authorization.pk, now=now)
        reason = f"{at}, from {bound}, policy {policy}"
        kind = EventKind.ADDRESS_CHANGED
        record_events(authorization.event(kind, at=now, address=address, token=token, reason=reason))
    if policy in address_binding.BLOCKING and authorization.user_pk:
        sql.execute(_BLOCK, [authorization.user_pk, authorization.client_pk, address, now])
