"""Assertions, gathered: the signers of a batch by one read, signatures verified in a thread, all used up by one write.

What proves nothing goes alone, for the reason; so does what needs keys that have to be fetched first.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import NamedTuple

from oauth.clients.jwks_cache import KeysNotCached
from oauth.clients.signed_assertion import SIGNER_KEYS, Signer, jti_digest, read_assertion, require_signature
from oauth.http.gathering import Waiting
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.models import sql
from smart.clients.assertions import InvalidAssertion

_SIGNERS = sql.select(
    Signer,
    f"""
FROM json_array_elements_text(%s::json) AS q (client_id)
CROSS JOIN LATERAL (SELECT * FROM oauth_client WHERE client_id = q.client_id OFFSET 0) c {SIGNER_KEYS}
""",  # noqa: S608  # our own texts
)
_USE_UP = f"""
INSERT INTO oauth_assertionid (client_id, jti_digest, forget_at)
SELECT q.client, q.digest, q.forget_at FROM {sql.records("client bigint, digest text, forget_at bigint")} WHERE true
ON CONFLICT (client_id, jti_digest) DO NOTHING RETURNING client_id, jti_digest
"""  # noqa: S608  # our own texts

Use = tuple[int, str]  # a client, and the digest of a jti


class Proof(NamedTuple):
    """An assertion whose signature is good: what it uses up, and until when that is remembered."""

    signer: Signer
    use: Use
    forget_at: int


def is_read(request: MachineRequest) -> bool:
    """Whether its assertion says what it must; the request then holds it, and names its client."""
    try:
        request.assertion = read_assertion(request)
    except InvalidAssertion:
        return False
    return True


async def consume_together(lane: Lane, batch: list[Waiting]) -> list[Signer | None]:
    """For each request the client whose key signed its assertion, used up; None where it goes alone."""
    requests = [waiting.request for waiting in batch]
    names = sorted({request.credentials.client_id for request in requests})
    (found,) = await lane.run((_SIGNERS.text, [json.dumps(names)]))
    signers = {signer.client_id: signer for signer in (_SIGNERS.row(*row) for row in found)}
    # in a thread: a signature takes as long as all else of a request
    proofs = await asyncio.to_thread(lambda: [_proof(request, signers) for request in requests])
    unused = await _use_up(lane, [proof for proof in proofs if proof], requests)
    return [_take(proof, unused) for proof in proofs]


def _proof(request: MachineRequest, signers: Mapping[str, Signer]) -> Proof | None:
    assertion = request.assertion
    try:
        signer = require_signature(assertion, signers.get(assertion.client_id), request) if assertion else None
    except (ValueError, KeysNotCached):
        return None
    return Proof(signer, (signer.pk, jti_digest(assertion)), assertion.unusable_at) if assertion and signer else None


async def _use_up(lane: Lane, proofs: list[Proof], requests: list[MachineRequest]) -> set[Use]:
    """What nobody had used. Written in one order: batches in two processes never wait for each other in a circle."""
    if not proofs:
        return set()
    rows = sorted((*proof.use, proof.forget_at) for proof in proofs)
    records = [{"client": pk, "digest": digest, "forget_at": forget_at} for pk, digest, forget_at in rows]
    for request in requests:
        request.assertion_tried = True
    (used,) = await lane.run((_USE_UP, [json.dumps(records)]))
    for request in requests:
        request.assertion_tried = False
    return {(pk, digest) for pk, digest in used}


def _take(proof: Proof | None, unused: set[Use]) -> Signer | None:
    """Of several requests with one assertion the first has it."""
    if proof is None or proof.use not in unused:
        return None
    unused.remove(proof.use)
    return proof.signer
