"""Address binding at a use (PR-03 to PR-06): from where a token is used, as a trusted resource server says (IN-11).

What another address means is decided in `smart.tokens.address_binding`, what follows in `oauth.tokens.address_binding`.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from introspection.token_lookup import LookupRow
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import public_reference, sql
from oauth.tokens.address_binding import apply_address_policy
from oauth.tokens.authorization_state import AuthorizationState
from smart.http.addresses import normalize, without_port
from smart.remembered import forget_too
from smart.time_units import SECOND
from smart.tokens import address_binding

_BIND = "UPDATE oauth_authorization SET use_address = %s WHERE id = %s AND use_address IS NULL RETURNING use_address"
_BOUND = "SELECT use_address FROM oauth_authorization WHERE id = %s"
RECORDED_EVERY = 60 * SECOND
MOST_RECORDED = 10_000

_recorded: dict[tuple[int, str, str], int] = {}
forget_too(_recorded.clear)


class Use(NamedTuple):
    """One use of a live token: the address it came from, "" if none is believed, and the policy, OFF if none holds."""

    found: LookupRow
    address: str
    policy: str

    @classmethod
    def of(cls, found: LookupRow, parameters: Mapping[str, str]) -> "Use":
        if found.address_policies is None:
            return cls(found, "", address_binding.OFF)
        text = parameters.get("__client_ip", "")
        address = text if text in ("", found.use_address) else normalize(without_port(text))
        return cls(found, address, address_binding.strictest_policy(*found.address_policies.split()))

    def introspection_response(self, policy: str) -> str:
        """The claims, with the flag where a policy holds: set while the authorization has not been looked at since."""
        if self.policy == address_binding.OFF:
            return self.found.claims
        flag = "true" if policy != address_binding.OFF or self.found.flagged_at else "false"
        return f'{self.found.claims[:-1]},"__ip_flag":{flag}}}'


async def apply_binding(use: Use, request: MachineRequest) -> str:
    """What this use meets: OFF where it may go on, else the policy; what follows from that is written already."""
    if use.policy == address_binding.OFF or not use.address or use.address == use.found.use_address:
        return address_binding.OFF
    bound = use.found.use_address
    if bound is None:
        bound = await writer_pool.run(partial(_bind_or_read, use))
    policy = address_binding.policy_for_use(use.policy, bound, use.address, settings.SMARTAUTH_ADDRESS_PREFIXES)
    if policy != address_binding.OFF and not _is_recently_recorded(use, request.now):
        await writer_pool.run(partial(_apply_policy, use, bound, request.now))
        _remember(use, request.now)
    return policy


def _bind_or_read(use: Use) -> str:
    """The address that the authorization belongs to: this one if it is the first. One of many requests wins."""
    authorization = use.found.authorization
    bound = sql.value(_BIND, [use.address, authorization])
    return bound or sql.value(_BOUND, [authorization]) or ""


def _apply_policy(use: Use, bound: str, now: int) -> None:
    with transaction.atomic():
        authorization, token = AuthorizationState.of(use.found.authorization), public_reference(use.found.token or 0)
        apply_address_policy(authorization, use.address, bound=bound, at="at a use", now=now, token=token)


def _is_recently_recorded(use: Use, now: int) -> bool:
    """Whether this process has just written the same down: who keeps coming costs one read each time."""
    return now < _recorded.get((use.found.authorization, use.address, use.policy), 0) + RECORDED_EVERY


def _remember(use: Use, now: int) -> None:
    if len(_recorded) >= MOST_RECORDED:
        _recorded.clear()
    _recorded[use.found.authorization, use.address, use.policy] = now
