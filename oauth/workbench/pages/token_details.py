"""A token taken apart for a reader: what it says, where that differs from a good one, how it is sent."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from oauth.workbench.minting.compact import content
from oauth.workbench.minting.good_token import Claims, GoodToken, header
from oauth.workbench.orders.ordered_token import OrderedToken
from smart.http import strict_json
from smart.http.bearer import bearer_challenge
from smart.text import escape_surrogates
from smartauth_probe.kinds import Answer
from smartauth_probe.requests import Presentation

PARTS = 3
SHOWN = 2_000  # characters of a part that is no JSON object


@dataclass(frozen=True, slots=True)
class Line:
    """A member as JSON; `sign` is "was" where a good token says otherwise, "is" for what this one says there."""

    text: str
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The header or the payload, member by member, or the raw text of one that is no JSON object."""

    title: str
    lines: tuple[Line, ...] = ()
    raw: str = ""

    @property
    def is_unchanged(self) -> bool:
        return not self.raw and not any(line.sign for line in self.lines)


def token_parts(token: str) -> list[str]:
    """Header, payload and signature; none for what is not written as a JWT (RFC 7515 §7.1)."""
    parts = token.split(".")
    return parts if len(parts) == PARTS else []


def read_parts(made: OrderedToken) -> list[Part]:
    """Header and payload of a JWT, compared with the good token that it was made from."""
    parts, good = token_parts(made.token), made.good
    if not parts:
        return []
    good_header = header(good.keys.own) if good and good.keys else None
    return [_part("Header", parts[0], good_header), _part("Payload", parts[1], _good_claims(good))]


def _good_claims(good: GoodToken | None) -> Claims | None:
    return good.claims if good and good.keys else None


def _part(title: str, encoded: str, good: Claims | None) -> Part:
    try:
        text = content(encoded).decode()
        members = strict_json.loads(text)
    except ValueError:
        return Part(title, raw=_cut(_text(encoded)))
    if not isinstance(members, dict):
        return Part(title, raw=_cut(text))
    return Part(title, tuple(_lines(members if good is None else good, members)))


def _text(encoded: str) -> str:
    try:
        return content(encoded).decode(errors="backslashreplace")
    except ValueError:
        return encoded


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ... ({len(text)} characters)"


def _lines(good: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[Line]:
    """In the order of the good token, what it lacks at the end."""
    for name in [*good, *(name for name in said if name not in good)]:
        if name in good and name in said and _is_same(good[name], said[name]):
            yield Line(_member(name, said[name]))
            continue
        if name in good:
            yield Line(_member(name, good[name]), "was")
        if name in said:
            yield Line(_member(name, said[name]), "is")


def _is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _member(name: str, value: Any) -> str:
    """As JSON; half of a surrogate pair, which no page can hold, as its escape (RFC 8259 §8.2)."""
    said = escape_surrogates(json.dumps(value, ensure_ascii=False))
    return _cut(f"{json.dumps(name)}: {said}")


def expected_responses(answer: Answer) -> list[str]:
    """Status line and challenge of each answer that is right (RFC 6750 §3)."""
    return [_response_head(answer, status) for status in sorted(answer.statuses)]


def _response_head(answer: Answer, status: int) -> str:
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
    if status in answer.errors:
        error = answer.errors[status]
        return f"{line}\nWWW-Authenticate: {bearer_challenge('...', error=error) if error else 'Bearer'}"
    return f"{line}\nWWW-Authenticate: Bearer" if status == HTTPStatus.UNAUTHORIZED else line


def curl_line(base: str, request: Presentation) -> str:
    """The request for a shell; "" for one that no shell can write: a header with other bytes than ASCII."""
    if not all(f"{name}{value}".isascii() and value.isprintable() for name, value in request.headers):
        return ""
    query = f"?{request.query}" if request.query else ""
    words = [word for name, value in request.headers for word in ("-H", f"{name}: {value}")]
    if request.body:
        words += ["-d", request.body]
    return shlex.join(["curl", "-i", *words, f"{base}/{request.path}{query}"])


def order_line(issuer: str, members: Mapping[str, Any]) -> str:
    """The same order at the JSON door."""
    body = json.dumps(dict(members))
    return shlex.join(["curl", "-sS", "-H", "Content-Type: application/json", "-d", body, f"{issuer}/dev/tokens"])
