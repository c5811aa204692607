"""Records that are made for one check and deleted with it, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from smartauth_probe.checks.writes.section import KIND
from smartauth_probe.loading.made import Made, new_identifier, search_value
from smartauth_probe.segments import segment
from smartauth_probe.target.answer import Answer, Json, identifiers
from smartauth_probe.target.fixture import Person, Record
from smartauth_probe.target.probe import WIDEST, Probe
from smartauth_probe.target.sending import Pairs
from smartauth_probe.tokens.source import GivenToken

KEPT = ("resourceType", "status", "category", "code", "subject")
KEPT_KINDS = ("value", "effective")  # with any type after it


def new_id() -> str:
    """An id that no record has; another one each time, since the server may make it."""
    return f"probe-{token_hex(6)}"


def criteria(content: Json) -> tuple[str, str]:
    """The parameter and value by which a server finds this copy and no other."""
    identifier = content["identifier"][0]
    coding = content.get("code", {}).get("coding", [])
    is_own = any(each.get("code") == identifier["value"] for each in coding)
    return "code" if is_own else "identifier", search_value(identifier)


class Copies(Made):
    """Copies of results of A and B."""

    def content(self, person: Person, **more: Any) -> dict[str, Any]:
        """Of a result of theirs as a new record, found again by an identifier of its own. Raises Skip.

        Where the server finds nothing by an identifier, by a code of its own.
        """
        own, number = person.first(KIND).content, new_identifier()
        kept = {name: value for name, value in own.items() if name in KEPT or name.startswith(KEPT_KINDS)}
        if not self.probe.facts.may_search_by(KIND, "identifier"):
            kept["code"] = {"coding": [{"system": number["system"], "code": number["value"]}]}
        made = {**kept, "identifier": [number], **more}
        return {name: value for name, value in made.items() if value is not None}

    def of(self, person: Person, **more: Any) -> Record:
        """A new record of that patient, made with their own token. Raises Skip."""
        content = self.content(person, **more)
        key = self.make(KIND, content, self.owner(person))
        return Record(KIND, key, "1", {**content, "id": key})

    def make(self, kind: str, content: Json, token: GivenToken) -> str:
        """The id of a new record with this content. Raises Skip."""
        with self.sending(kind, content):
            key = self.probe.create(kind, content, token)
            self.paths[f"{kind}/{segment(key)}"] = None
        return key

    def owner(self, person: Person) -> GivenToken:
        """A token for everything of that patient. Raises Skip."""
        return self.probe.token(WIDEST, person.id)

    def post(self, content: Json, token: GivenToken, *headers: tuple[str, str]) -> Answer:
        """What it makes is deleted in the end."""
        kind = str(content.get("resourceType", KIND))
        with self.sending(kind, content):
            answer = self.send_json("POST", kind, content, token, *headers)
        if answer.is_ok and (answer.status == 201 or not headers):
            self.note(answer, kind, content)
        return answer

    def put(self, path: str, content: Json, token: GivenToken, *headers: tuple[str, str], query: Pairs = ()) -> Answer:
        """Of a path that did not exist, what it makes is deleted in the end."""
        answer = self.send_json("PUT", path, content, token, *headers, query=query)
        if answer.status == 201:
            self.note(answer, path)
        return answer

    def stored(self, content: Json, *people: Person) -> list[Record]:
        """What these patients find by the identifier of the content; it is deleted in the end too."""
        found = [each for person in people for each in self._found(content, person)]
        self.paths |= dict.fromkeys(each.path for each in found)
        return found

    def _found(self, content: Json, person: Person) -> Iterator[Record]:
        """By what is its own, and whatever the server makes of the search, with its identifier."""
        identifier = content["identifier"][0]
        answer = self.probe.search(KIND, self.owner(person), criteria(content))
        named = (each for each in answer.entries if each.get("resourceType") == KIND and each.get("id"))
        yield from (Record.of(each) for each in named if identifier in identifiers(each))


@contextmanager
def copies(probe: Probe) -> Iterator[Copies]:
    """Raises Skip unless writing was allowed."""
    probe.need_writes()
    made = Copies(probe)
    try:
        yield made
    finally:
        made.delete_all()
