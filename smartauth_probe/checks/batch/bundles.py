"""A Bundle of requests, and the answers in the Bundle that comes back."""

import json
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import Any

from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.probe import READER, Probe
from smartauth_probe.tokens.source import GivenToken

HEADERS = {"location": "Location", "etag": "ETag", "lastModified": "Last-Modified"}


def entry(method: str, url: str, resource: Json | None = None, *, full_url: str = "", **request: str) -> dict[str, Any]:
    """One request of a Bundle."""
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if full_url:
        made["fullUrl"] = full_url
    return made if resource is None else {**made, "resource": resource}


def bundle(kind: str, *entries: Json) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def send(probe: Probe, token: GivenToken, content: Json) -> Answer:
    """To the base itself."""
    return probe.send("POST", "", token, headers=(("Content-Type", probe.facts.accept),), body=json.dumps(content))


def answers_in(answer: Answer, count: int) -> list[Answer]:
    """The answer to each of so many entries; where the whole Bundle is refused, that for each. Raises Skip.

    With 0 those that are there, however many.
    """
    if not answer.is_ok:
        return [answer] * count
    found = list(_answers(answer.resource))
    if count and len(found) != count:
        raise Skip(f"The Bundle of answers has {len(found)} entries, and {count} requests were sent.")
    return found


def _answers(answered: Json) -> Iterator[Answer]:
    entries = answered.get("entry")
    for each in entries if isinstance(entries, list) else ():
        response = each.get("response") if isinstance(each, dict) else None
        if isinstance(response, dict):
            resource = each.get("resource") or response.get("outcome")
            yield _answer(response, resource if isinstance(resource, dict) else {})


def _answer(response: Json, resource: Json) -> Answer:
    headers = HTTPMessage()
    for name, header in HEADERS.items():
        if isinstance(response.get(name), str):
            headers[header] = response[name]
    status = str(response.get("status", ""))[:3]
    content = json.dumps(resource).encode() if resource else b""
    return Answer(int(status) if status.isdecimal() else 0, headers, content, 0.0, resource)


def need_batch(probe: Probe) -> None:
    """Raises Skip unless the server reads patient A in a batch."""
    whole = probe.need("a batch", send(probe, probe.token(), bundle("batch", entry("GET", probe.a.path))))
    probe.need("a read in a batch", answers_in(whole, 1)[0])


def read_all(probe: Probe, urls: list[str], token: GivenToken | None = None) -> list[Answer]:
    """The answers to a batch that reads these, with a token of A for reading. Raises Skip."""
    need_batch(probe)
    whole = send(probe, token or probe.token(READER), bundle("batch", *(entry("GET", url) for url in urls)))
    return answers_in(whole, len(urls))
