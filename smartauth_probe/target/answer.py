"""An answer of the server under test, read as FHIR; whatever comes, reading it raises nothing."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any

from smartauth_probe.raw_http import BODY_LIMIT, Response
from smartauth_probe.received import Received, is_outcome
from smartauth_probe.segments import segment

Json = Mapping[str, Any]
TRACE = re.compile(
    rb"Traceback \(most|\tat java\.|at org\.|at com\.|node_modules|SQLSTATE|System\.Exception"
    rb"|\.py\\?\", line \d|\.java:\d+\)|\.js:\d+:\d"
)


@dataclass(frozen=True)
class Answer:
    """`asked` is what the request was about, "" where that is not known: path, query and body."""

    status: int
    headers: HTTPMessage = field(default_factory=HTTPMessage)
    content: bytes = b""
    seconds: float = 0.0
    resource: Json = field(default_factory=dict)
    asked: str = ""

    @classmethod
    def of(cls, response: Response, seconds: float) -> "Answer":
        return cls(response.status_code, response.headers, response.content, seconds, _object(response.content))

    @property
    def received(self) -> Received:
        """What a verdict about a token needs."""
        return Received.of(self.status, self.headers.get("WWW-Authenticate") or "", self.content)

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_broken(self) -> bool:
        """Whether something went wrong inside: neither not there yet (501) nor busy (503)."""
        return self.status >= 500 and self.status not in (501, 503)

    @property
    def trace(self) -> str:
        """What shows the program inside, "" where nothing does."""
        found = TRACE.search(self.content)
        return found[0].decode().strip() if found else ""

    @property
    def is_cut(self) -> bool:
        """Whether there was more than is read."""
        return len(self.content) >= BODY_LIMIT

    @property
    def type(self) -> str:
        return _text(self.resource.get("resourceType"))

    @property
    def id(self) -> str:
        return _text(self.resource.get("id"))

    @property
    def entries(self) -> list[Json]:
        """The resources of a Bundle, without those that only tell of an error."""
        return [each for each in _resources(self.resource) if not is_outcome(_text(each.get("resourceType")))]

    @property
    def names(self) -> list[str]:
        """Type and id of each entry, in their order."""
        return [name_of(each) for each in self.entries]

    @property
    def total(self) -> int | None:
        found = self.resource.get("total")
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def holds_data(self) -> bool:
        """Whether a resource came that is no OperationOutcome and no empty Bundle; JSON that is no FHIR counts too."""
        if self.type == "Bundle":
            return bool(self.entries) or bool(self.total)
        return bool(self.received.resource) and not is_outcome(self.received.resource)

    def link(self, relation: str) -> str:
        """The address of the page, "" where there is none."""
        links = self.resource.get("link")
        for each in links if isinstance(links, list) else ():
            if isinstance(each, dict) and each.get("relation") == relation:
                return _text(each.get("url"))
        return ""

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return (self.headers.get("Location") or "") if 300 <= self.status < 400 else ""

    def __str__(self) -> str:
        return f"{self.status} {self._content}".rstrip()

    @property
    def _content(self) -> str:
        if self.type == "Bundle":
            entries = self.entries
            total = "" if self.total is None else f"total {self.total}"
            return ", ".join(filter(None, [total, f"{len(entries)} entries" if entries else ""])) or "an empty Bundle"
        return name_of(self.resource) if self.type else ""


def name_of(resource: Json) -> str:
    """Type and id, or the type alone; each is one segment, whatever the server says it is."""
    kind, key = segment(_text(resource.get("resourceType"))), segment(_text(resource.get("id")))
    return f"{kind}/{key}" if key else kind


def identifiers(resource: Json) -> list[Json]:
    """Those of a resource that have the form of one."""
    found = resource.get("identifier")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def codings(resource: Json, name: str) -> Iterator[tuple[str, str]]:
    """System and code of each coding in that member, one concept or several; what is no coding is passed over."""
    concepts = resource.get(name)
    for concept in concepts if isinstance(concepts, list) else [concepts]:
        found = concept.get("coding") if isinstance(concept, dict) else None
        for each in found if isinstance(found, list) else ():
            if isinstance(each, dict) and isinstance(each.get("code"), str):
                yield _text(each.get("system")), each["code"]


def _resources(bundle: Json) -> Iterator[Json]:
    entries = bundle.get("entry") if bundle.get("resourceType") == "Bundle" else ()
    for entry in entries if isinstance(entries, list) else ():
        found = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(found, dict):
            yield found


def _object(content: bytes) -> Json:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list):  # some servers answer a search with what they found and no Bundle around it
        return {"resourceType": "Bundle", "entry": [{"resource": each} for each in found]}
    return found if isinstance(found, dict) else {}


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
