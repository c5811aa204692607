"""What the requests of a batch get: each its tokens, with their rows and events among what the batch writes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from audit.event_kinds import EventKind
from oauth.http.gathering import Answers, Waiting
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.gathered_writes import Writes
from oauth.tokens.issue import RefreshFamily, new_access_token, new_refresh_token, token_events
from oauth.tokens.supersede import SeatNumbers
from smart.openid.standard_claims import has_openid


class Granted(Protocol):
    """A request that is granted, and the scope that it gets."""

    @property
    def scope(self) -> str: ...


GrantedT = TypeVar("GrantedT", bound=Granted)


class NextToken(NamedTuple):
    """The access token that a request gets."""

    authorization: AuthorizationState
    token_id: int
    numbers: SeatNumbers
    scope: str
    code_id: int | None = None
    nonce: str = ""


def issue_access_token(writes: Writes, token: NextToken, kind: EventKind, request: MachineRequest) -> dict[str, Any]:
    """The answer that carries the access token."""
    authorization, token_id, numbers, scope, code_id, nonce = token
    now, address = request.now, request.address
    made = new_access_token(authorization, numbers, now=now, address=address, scope=scope, code_id=code_id, nonce=nonce)
    writes.insert_access_token(token_id, made.columns)
    writes.record_events(token_events(authorization, kind, token_id, numbers, now=now, address=address))
    return made.answer


def issue_refresh_token(writes: Writes, authorization: AuthorizationState, family: RefreshFamily, *, now: int) -> str:
    """The next refresh token of the family."""
    token, columns = new_refresh_token(authorization, family, now=now)
    writes.insert_refresh_token(columns)
    return token


async def answer_each(
    issue: Callable[[GrantedT, MachineRequest], MachineResponse],
    granted: Sequence[GrantedT | None],
    batch: Sequence[Waiting],
) -> Answers:
    """The answers, in a thread where there are ID tokens: an RSA signature takes as long as ten others."""

    def answers() -> Answers:
        return [issue(each, w.request) if each else None for each, w in zip(granted, batch, strict=True)]

    is_long = any(each is not None and has_openid(each.scope) for each in granted)
    return await asyncio.to_thread(answers) if is_long else answers()
