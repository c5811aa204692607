"""Introspections beside that of an active token: of one that has ended or was changed, and by other proofs of who asks.

Bodies and answers only; the seeds make the tokens.
"""

from collections.abc import Iterator
from typing import Any

INACTIVE, TAMPERED = "inactive", "tampered"
BY_TOKEN, BY_ASSERTION = "bearer", "assertion"
ABOUT_DEAD, BY_OTHERS = (INACTIVE, TAMPERED), (BY_TOKEN, BY_ASSERTION)
ROWS = (*ABOUT_DEAD, *BY_OTHERS)
CALLER = "asserting-server"  # a resource server with the key of all signing clients
SCOPE = "__smartauth.introspect"
DEAD = 100  # tokens of either kind, asked about in turn
NOTHING = "inactive"  # stands for the whole answer about a token that is not active


def is_inactive(answer: dict[str, Any]) -> bool:
    """Whether that is all it says."""
    return answer == {"active": False}


def changed(token: str) -> str:
    """The token with another last character but one of what is signed, or of all of it where it is opaque."""
    signed, dot, signature = token.rpartition(".")
    body = signed or signature
    other = body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1]
    return other + dot + signature if signed else other


def bodies(what: str, tokens: list[tuple[str, str]], proofs: Iterator[dict[str, str]]) -> Iterator[tuple[Any, str]]:
    """What is sent about each token, and what its answer must name: its client, or that it is dead."""
    if what == BY_ASSERTION:
        for number, proof in enumerate(proofs):
            token, client_id = tokens[number % len(tokens)]
            yield {"token": token, **proof}, client_id
        return
    for token, client_id in tokens:
        yield {"token": token}, NOTHING if what in ABOUT_DEAD else client_id
