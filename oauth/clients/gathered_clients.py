"""Requests that wait for others of their kind, by whichever method their clients prove themselves.

Who sent an assertion waits among others who did: the batch that verifies it answers it, and nobody with a secret waits
for signatures.
"""

from functools import cache
from typing import Any

from oauth.clients.authentication import authenticated_client, run_as_client
from oauth.clients.gathered_assertions import consume_together, is_read
from oauth.http.gathering import AnswerT, Waiting, Work, gathered_answer
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest


async def gathered_as_client(work: Work[AnswerT], request: MachineRequest, digest: str = "") -> AnswerT | None:
    """The answer of `work`, committed; None for what has to go alone. Raises OAuthError."""
    if request.credentials.assertion and request.client is None:
        answer = await _answer_by_assertion(work, request, digest)
        if request.client is not None:
            return answer
        await run_as_client(request, lambda client: client)
    return await gathered_answer(work, request, digest)


async def authenticate_by_assertion(request: MachineRequest) -> None:
    """Verifies the assertion of a client that sent one, and uses it up, before its request waits for others."""
    if request.credentials.assertion and request.client is None:
        await _answer_by_assertion(_nothing, request)
        if request.client is None:
            await run_as_client(request, lambda client: client)


async def _nothing(lane: Lane, batch: list[Waiting]) -> list[None]:
    return [None] * len(batch)


async def _answer_by_assertion(work: Work[AnswerT], request: MachineRequest, digest: str = "") -> AnswerT | None:
    """The answer of `work`, once the assertion is good, whose client the request has then; else nothing."""
    if not is_read(request):
        return None
    return await gathered_answer(_with_assertions(work), request, digest)


@cache
def _with_assertions(work: Work[Any]) -> Work[Any]:
    """The same work on those whose assertions are good, which are used up before (CL-06)."""

    async def verify_and_work(lane: Lane, batch: list[Waiting]) -> list[Any]:
        signers = await consume_together(lane, batch)
        proven = []
        for waiting, signer in zip(batch, signers, strict=True):
            if signer:
                waiting.request.client = authenticated_client(signer)
                proven.append(waiting)
        answers = iter(await work(lane, proven) if proven else [])
        return [next(answers) if signer else None for signer in signers]

    return verify_and_work
