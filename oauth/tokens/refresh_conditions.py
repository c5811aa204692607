"""What every refresh must meet: the client's own token, of an authorization that lives, from an address it may use."""

from accounts import rate_limit
from audit.event_kinds import EventKind
from oauth.ending.reasons import EndedFor
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.tokens import address_binding, supersede
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.unnamed_client import INVALID
from smart.explanation import Why
from smart.http.errors import InvalidGrant
from smart.tokens.address_binding import BLOCKING, OFF

SUPERSEDED = "a newer launch ended it"


def require_own_client(authorization: AuthorizationState, client: AuthenticatedClient) -> None:
    """A refresh token is for the client that it was issued to (RFC 6749 §6, E89)."""
    if authorization.client_pk != client.pk:
        reason = f"sent by {client.client_id}, whose it is not"
        raise InvalidGrant(INVALID, event_reason=reason, rule="RF-01", case="E89")


def require_usable(authorization: AuthorizationState, epoch: int) -> None:
    """Nothing has ended the authorization since the token was issued, under that epoch of it (E87, E92)."""
    if reason := authorization.unusable_reason_under(epoch):
        why: Why = {"rule": authorization.unusable_rule, "case": "E87", "since": authorization.ended_at}
        if authorization.ended_for == EndedFor.SIGNED_OUT:
            what = "its person signed out, and online access ends with the session"
            why = {**why, "rule": "SCP-17", "case": "E92", "what": what}
        raise InvalidGrant(INVALID, event_reason=reason, **why)


def require_same_address(
    authorization: AuthorizationState, request: MachineRequest, seat_id: int | None, launch_number: int
) -> None:
    """A refresh from another address is written down, and refused where the policy says so (PR-06, E93).

    Only of a token that lives: else a holder of a dead one could ask its person for a login again and again.
    """
    policy = address_binding.policy_for_refresh(authorization, request.address)
    if policy == OFF:
        return
    if supersede.is_launch_superseded(authorization, seat_id, launch_number):
        raise InvalidGrant(INVALID, event_reason=SUPERSEDED, rule="PR-01", case="E87")
    bound = authorization.token_address
    address_binding.apply_address_policy(
        authorization, request.address, bound=bound, at="at a refresh", now=request.now
    )
    if policy in BLOCKING:
        raise InvalidGrant(
            INVALID,
            event_reason="it came from another address",
            rule="PR-06",
            case="E93",
            presented=request.address,
            expected=bound,
        )


def record_refusal(authorization: AuthorizationState, request: MachineRequest, reason: str) -> None:
    """The first refusals of an authorization are told one by one, then their number (SD-20)."""
    counted = rate_limit.count("refresh refused", str(authorization.pk), "", now=request.now)
    if counted.is_worth_an_event:
        reason = counted.with_number(reason)
        authorization.record_event(EventKind.REFRESH_REFUSED, at=request.now, address=request.address, reason=reason)
