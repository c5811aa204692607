"""What introspection and decisions answer where they misbehave on purpose: made from the right answer, pure."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import Any

from smartauth_probe.introspection_faults import NONE

ANOTHER_BASE = "https://other.example.org/fhir"
ANOTHER_PATIENT = "another-patient"
GOOD_TWIN = f"/dev/introspect/{NONE}"
HUGE, BOMB = 50_000_000, 100_000_000
DEPTH = 100_000
TEN_MINUTES = 600
PIECE = 65_536


class Delivery(Enum):
    """How the answer is sent."""

    WHOLE = "as any answer"
    NO_ANSWER = "the connection is closed"
    NO_HEAD = "nothing is sent until the time is over"
    HALF_THEN_STALL = "half of it"
    HALF_THEN_CLOSE = "half of it, and the connection is closed"
    DRIP = "byte after byte"


@dataclass(frozen=True, slots=True)
class FaultyAnswer:
    """An answer, whatever HTTP and RFC 7662 say about it. `blanks` are sent before the body and take no memory here."""

    body: bytes = b""
    status: int = 200
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    blanks: int = 0
    delivery: Delivery = Delivery.WHOLE


Headers = tuple[tuple[str, str], ...]
Make = Callable[[bytes], FaultyAnswer]
Change = Callable[[dict[str, Any]], dict[str, Any]]


def faulty_answer(fault: str, right: bytes) -> FaultyAnswer:
    """The answer of that fault in the place of the right one. Claims of a dead token stay as they are: it has none."""
    if fault in MAKERS:
        return MAKERS[fault](right)
    claims = json.loads(right)
    if fault in CLAIMS and claims.get("active"):
        return FaultyAnswer(json.dumps(CLAIMS[fault](claims)).encode())
    if fault in TWICE and claims.get("active"):
        return FaultyAnswer(_with_member_twice(right, *TWICE[fault]))
    return FaultyAnswer(right)


def changes_gateways(fault: str) -> bool:
    """Whether a gateway can meet it: one of the answer as a whole, whatever the body says."""
    return fault in MAKERS


def faulty_gateway_answer(fault: str, status: int, headers: Headers, right: bytes) -> FaultyAnswer:
    """The same of an answer in status and headers. A denial stays one, but where a page comes in its place."""
    made = MAKERS[fault](right)
    if made.status != HTTPStatus.OK or fault in FOREIGN:
        return made
    told = tuple(pair for pair in headers if pair[0].startswith("x-smartauth-") or pair[0] == "www-authenticate")
    return replace(made, status=status, headers=(*told, *made.headers))


def changes_decisions(fault: str) -> bool:
    """Whether a decision can have that fault: those about a claim change none."""
    return fault in MAKERS or fault in DECISIONS or fault == DECISION_TWICE


def faulty_decision(fault: str, right: bytes) -> FaultyAnswer:
    """The same of an answer with decisions (AuthZEN §5.5, §7.2), where `active` is `decision`. A denial stays one."""
    if fault in MAKERS:
        return MAKERS[fault](right)
    members = json.loads(right)
    name = "evaluations" if "evaluations" in members else "decision"
    if fault == DECISION_TWICE and members[name]:
        return FaultyAnswer(_with_member_twice(right, name, [] if name == "evaluations" else False))
    if fault not in DECISIONS:
        return FaultyAnswer(right)
    if name == "evaluations":
        return FaultyAnswer(json.dumps({name: [_decision(fault, one) for one in members[name]]}).encode())
    return FaultyAnswer(json.dumps(_decision(fault, members)).encode())


def _decision(fault: str, members: dict[str, Any]) -> dict[str, Any]:
    return DECISIONS[fault](members) if members["decision"] else members


def _deep(right: bytes) -> FaultyAnswer:
    nested = b"[" * DEPTH + b"]" * DEPTH
    return FaultyAnswer(right[:-1] + b', "nested": ' + nested + b"}")


def _bomb(right: bytes) -> FaultyAnswer:
    packed = gzip.compress(b" " * BOMB + right, compresslevel=1)
    return FaultyAnswer(packed, headers=(("content-encoding", "gzip"),))


def _with_member_twice(right: bytes, name: str, value: Any) -> bytes:
    """The member twice: with another value first, and then as it is."""
    return f'{{"{name}": {json.dumps(value)}, '.encode() + right[1:]


MAKERS: Mapping[str, Make] = {
    "down": lambda right: FaultyAnswer(delivery=Delivery.NO_ANSWER),
    "slow-head": lambda right: FaultyAnswer(right, delivery=Delivery.NO_HEAD),
    "stalled-body": lambda right: FaultyAnswer(right, delivery=Delivery.HALF_THEN_STALL),
    "dripping-body": lambda right: FaultyAnswer(right, delivery=Delivery.DRIP),
    "cut-body": lambda right: FaultyAnswer(right, delivery=Delivery.HALF_THEN_CLOSE),
    "status-500": lambda right: FaultyAnswer(right, status=500),
    "status-429": lambda right: FaultyAnswer(right, status=429, headers=(("retry-after", "60"),)),
    "status-401": lambda right: FaultyAnswer(right, status=401, headers=(("www-authenticate", "Basic"),)),
    "status-204": lambda right: FaultyAnswer(status=204),
    "redirect": lambda right: FaultyAnswer(right, status=307, headers=(("location", GOOD_TWIN),)),
    "html": lambda right: FaultyAnswer(b"<!doctype html><title>Please wait</title>", media_type="text/html"),
    "empty": lambda right: FaultyAnswer(),
    "array": lambda right: FaultyAnswer(b"[" + right + b"]"),
    "trailing-bytes": lambda right: FaultyAnswer(right + b"\n<!-- 1 -->"),
    "not-utf8": lambda right: FaultyAnswer(right[:-1] + b', "name": "\xff\xfe"}'),
    "wrong-type": lambda right: FaultyAnswer(right, media_type="text/html"),
    "deep": _deep,
    "huge": lambda right: FaultyAnswer(right, blanks=HUGE),
    "gzip-bomb": _bomb,
}
FOREIGN = ("html", "empty")  # nothing of the right answer is left
CLAIMS: Mapping[str, Change] = {
    "active-text": lambda claims: {**claims, "active": "true"},
    "active-number": lambda claims: {**claims, "active": 1},
    "active-missing": lambda claims: _without(claims, "active"),
    "aud-other": lambda claims: {**claims, "aud": ANOTHER_BASE},
    "aud-missing": lambda claims: _without(claims, "aud"),
    "scope-missing": lambda claims: _without(claims, "scope"),
    "patient-other": lambda claims: {**claims, "patient": ANOTHER_PATIENT},
    "exp-past": lambda claims: {**claims, "exp": int(claims.get("iat", TEN_MINUTES)) - TEN_MINUTES},
}
DECISIONS: Mapping[str, Change] = {
    "active-text": lambda members: {**members, "decision": "true"},
    "active-number": lambda members: {**members, "decision": 1},
    "active-missing": lambda members: _without(members, "decision"),
}
DECISION_TWICE = "active-twice"
TWICE: Mapping[str, tuple[str, Any]] = {
    "active-twice": ("active", False),
    "patient-twice": ("patient", ANOTHER_PATIENT),
}


def _without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}
