"""Links between the entries of a transaction: `urn:uuid:` becomes the address of what is created (FHIR http; BT-04)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fhir.http.answer import Answer
from fhir.http.entries import Entry
from fhir.http.interaction import Asked
from fhir.operation_outcome import BadRequest
from smart.fhir import json_text
from smart.fhir.elements import references


class Links:
    """What each fullUrl stands for: of a conditional entry only once it is known what it found."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._targets = dict(self._new(entries))

    def resolved(self, asked: Asked) -> Asked:
        """The request with links in place. Raises BadRequest for a reference by a condition (BT-05)."""
        if asked.interaction not in ("create", "update"):
            return asked
        content, is_changed = json_text.loads(asked.body), False
        for reference in references(content):
            text = reference["reference"]
            if isinstance(text, str) and "?" in text:
                raise BadRequest("References by a condition are not supported.")
            if isinstance(text, str) and text in self._targets:
                reference["reference"], is_changed = self._targets[text], True
        return replace(asked, body=json_text.dumps(content)) if is_changed else asked

    def add(self, entry: Entry, answer: Answer) -> None:
        """Notes what the entry created or found."""
        asked = entry.asked()
        if asked.interaction == "create" and entry.full_url:
            found = json.loads(json_text.members(answer.text)["id"])
            self._targets[entry.full_url] = f"{asked.path.type}/{found}"

    @staticmethod
    def _new(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
        for entry in entries:
            asked = entry.asked()
            if asked.new_id and entry.full_url and "If-None-Exist" not in asked.headers:
                yield entry.full_url, f"{asked.path.type}/{asked.new_id}"
