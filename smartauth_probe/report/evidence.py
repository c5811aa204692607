"""What of requests and answers stands in a report: no token, no secret, and of patients nothing but ids."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from smartauth_probe.target.answer import Answer, name_of
from smartauth_probe.target.client import Exchange

SHOWN_OF_TOKEN = 8
SECRET_HEADERS = frozenset({"authorization", "cookie"})
SHOWN_HEADERS = ("WWW-Authenticate", "Location", "Content-Type", "ETag", "Last-Modified", "Allow", "Retry-After")
SHOWN_ENTRIES = 10
SHOWN_BODY = 20_000
SHOWN_HEADER = 300
CUT = "… (cut)"
_VALUE = re.compile("([?&#][^=&#]*=)[^&#]+")  # in the query of an address
ENVELOPES = frozenset({"Bundle", "Parameters"})
# of a resource that was sent: what it is, which patient it is about, and what checks put into it themselves
SENT_MEMBERS = frozenset(
    {"resourceType", "id", "meta", "status", "category", "contained", "subject", "patient", "performer"}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`private` has values that came from a record, with the words that stand in their place.

    `is_full` shows answers as they came, for who reads the report alone; tokens are cut all the same.
    """

    private: Mapping[str, str] = field(default_factory=dict)
    is_full: bool = False

    def request(self, exchange: Exchange, base_path: str) -> str:
        """Request line, headers, body."""
        request = exchange.request
        query = f"?{self._query(request.query)}" if request.query else ""
        path = f"{base_path}/{request.path}" if request.path else base_path or "/"
        headers = [f"{name}: {self._header(name, value)}" for name, value in request.headers if name != "Accept"]
        body = ["", self._sent(request.body)] if request.body else []
        return "\n".join([f"{request.method} {path}{query} HTTP/1.1", *headers, *body])

    def answer(self, exchange: Exchange) -> str:
        """Status line, the headers that matter, and of the body what it is."""
        answer = exchange.answer
        if answer is None:
            return f"no answer: {self._without_private(exchange.problem)}"
        found = ((name, answer.headers.get(name)) for name in SHOWN_HEADERS)
        headers = [f"{name}: {self._answered(name, value)[:SHOWN_HEADER]}" for name, value in found if value]
        body = self._body(answer)
        return "\n".join([f"HTTP/1.1 {answer.status}", *headers, *(["", body] if body else [])])

    def _header(self, name: str, value: str) -> str:
        if name.lower() not in SECRET_HEADERS:
            return self._without_private(value)
        scheme, _, token = value.partition(" ") if " " in value else ("", "", value)
        shown = token[:SHOWN_OF_TOKEN].encode("unicode_escape").decode()
        return f"{scheme} {shown}{CUT}".strip()

    def _answered(self, name: str, value: str) -> str:
        """A header of an answer. By what a redirect would search stands in no record that the probe has read."""
        if name == "Location" and not self.is_full:
            value = _VALUE.sub(rf"\1{CUT}", value)
        return self._without_private(value)

    def _sent(self, body: str) -> str:
        """A form, or JSON without the content of the record that was copied for it."""
        try:
            found = json.loads(body)
        except ValueError:
            return self._query(body)
        return self._without_private(json.dumps(_without_content(found), ensure_ascii=False))[:SHOWN_BODY]

    def _query(self, query: str) -> str:
        """Readable, without a token and without what is from a record."""
        if "=" not in query:
            return self._without_private(query)[:SHOWN_BODY]
        pairs = parse_qsl(query, keep_blank_values=True)
        shown = ((name, f"{value[:SHOWN_OF_TOKEN]}{CUT}" if name == "access_token" else value) for name, value in pairs)
        return "&".join(f"{name}={self._without_private(value)}" for name, value in shown)

    def _without_private(self, text: str) -> str:
        """Without each value in any spelling of an address; the longest first, so that nothing of it is left."""
        values = sorted(filter(None, self.private), key=len, reverse=True)
        words = [self.private[value] for value in values]
        pattern = "|".join(f"({''.join(map(_spelled, value))})" for value in values)
        return re.sub(pattern, lambda found: f"({words[(found.lastindex or 1) - 1]})", text) if values else text

    def _body(self, answer: Answer) -> str:
        if self.is_full:
            return answer.content[:SHOWN_BODY].decode(errors="replace")
        if answer.type == "Bundle":
            return json.dumps(_bundle(answer), indent=1)
        if answer.type == "OperationOutcome":
            issues = [self._without_private(each) for each in _codes(answer.resource.get("issue"))]
            return json.dumps({"resourceType": "OperationOutcome", "issue": issues})
        if answer.type:
            return f"{name_of(answer.resource)} {CUT}"
        return f"{len(answer.content)} bytes {CUT}" if answer.content else ""


def _spelled(character: str) -> str:
    """A pattern for it: as it is, or encoded, once or more often."""
    encoded = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode(errors="replace"))
    return rf"(?:{re.escape(character)}|(?i:{encoded}){'|[+]' if character == ' ' else ''})"


def _without_content(found: Any) -> Any:
    """The same with (cut) for members that may be from a record."""
    if isinstance(found, list):
        return [_without_content(each) for each in found]
    if not isinstance(found, dict):
        return found
    is_resource = "resourceType" in found and found["resourceType"] not in ENVELOPES
    return {
        name: "(cut)" if is_resource and name not in SENT_MEMBERS else _without_content(value)
        for name, value in found.items()
    }


def _bundle(answer: Answer) -> dict[str, Any]:
    total = {} if answer.total is None else {"total": answer.total}
    names = answer.names
    more = [f"and {len(names) - SHOWN_ENTRIES} more"] if len(names) > SHOWN_ENTRIES else []
    return {"resourceType": "Bundle", **total, "entry": [*names[:SHOWN_ENTRIES], *more]}


def _codes(issues: Any) -> list[str]:
    """The codes alone: what a server says beside them may name somebody."""
    found = issues if isinstance(issues, list) else []
    return [str(each["code"]) for each in found if isinstance(each, dict) and isinstance(each.get("code"), str)]
