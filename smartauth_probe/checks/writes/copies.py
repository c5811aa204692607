"""Records that are made for one check and deleted with it, however it ends."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from smartauth_probe.checks.check import Skip
from smartauth_probe.checks.writes.section import KIND
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.client import Stop
from smartauth_probe.target.fixture import Person, Record
from smartauth_probe.target.probe import WIDEST, Pairs, Probe
from smartauth_probe.tokens.source import GivenToken

SYSTEM = "https://smartauth.example/probe"
KEPT = ("resourceType", "status", "category", "code", "subject")
KEPT_KINDS = ("value", "effective")  # with any type after it
SERVICE = "system/*.cruds"


@dataclass
class Copies:
    """`paths` are of everything that was made and is to be deleted."""

    probe: Probe
    paths: dict[str, None] = field(default_factory=dict)

    def content(self, person: Person, **more: Any) -> dict[str, Any]:
        """Of a result of theirs as a new record, found again by an identifier of its own. Raises Skip."""
        own = person.first(KIND).content
        kept = {name: value for name, value in own.items() if name in KEPT or name.startswith(KEPT_KINDS)}
        made = {**kept, "identifier": [{"system": SYSTEM, "value": f"probe-{token_hex(6)}"}], **more}
        return {name: value for name, value in made.items() if value is not None}

    def of(self, person: Person, **more: Any) -> Record:
        """A new record of that patient, made with their own token. Raises Skip."""
        content = self.content(person, **more)
        key = self.probe.create(KIND, content, self.owner(person))
        self.paths[f"{KIND}/{key}"] = None
        return Record(KIND, key, "1", {**content, "id": key})

    def owner(self, person: Person) -> GivenToken:
        """A token for everything of that patient. Raises Skip."""
        return self.probe.token(WIDEST, person.id)

    def post(self, content: Json, token: GivenToken, *headers: tuple[str, str]) -> Answer:
        """What it makes is deleted in the end."""
        kind = str(content.get("resourceType", KIND))
        answer = self._send("POST", kind, content, token, headers)
        if answer.is_ok and (answer.status == 201 or not headers):
            self.note(answer, kind)
        return answer

    def put(self, path: str, content: Json, token: GivenToken, *headers: tuple[str, str], query: Pairs = ()) -> Answer:
        """Of a path that did not exist, what it makes is deleted in the end."""
        answer = self._send("PUT", path, content, token, headers, query)
        if answer.status == 201:
            self.note(answer, path)
        return answer

    def _send(
        self, method: str, path: str, content: object, token: GivenToken, headers: Pairs, query: Pairs = ()
    ) -> Answer:
        typed = (("Content-Type", self.probe.facts.accept), *headers)
        return self.probe.send(method, path, token, query, typed, json.dumps(content))

    def note(self, answer: Answer, path: str) -> None:
        """Where the new record is: as the answer says, else at the path itself."""
        location = (answer.headers.get("Location") or "").partition("/_history")[0].split("/")
        kind = path.partition("/")[0]
        if answer.type == kind and answer.id:
            self.paths[f"{kind}/{answer.id}"] = None
        elif location[-2:-1] == [kind]:
            self.paths["/".join(location[-2:])] = None
        elif "/" in path:
            self.paths[path] = None

    def stored(self, content: Json, *people: Person) -> list[Record]:
        """What these patients find by the identifier of the content; it is deleted in the end too."""
        found = [each for person in people for each in self._found(content["identifier"][0], person)]
        self.paths |= dict.fromkeys(each.path for each in found)
        return found

    def _found(self, identifier: Json, person: Person) -> Iterator[Record]:
        """By its identifier, and whatever the server makes of the search, with it."""
        wanted = f"{identifier['system']}|{identifier['value']}"
        answer = self.probe.search(KIND, self.owner(person), ("identifier", wanted))
        yield from (Record.of(each) for each in answer.entries if identifier in each.get("identifier", ()))

    def delete_all(self) -> None:
        """With the token of each patient and of a service; what stays is named. No report shows these requests."""
        tokens, sent = list(self._tokens()), len(self.probe.client.exchanges)
        for path in list(self.paths):
            if not self._is_deleted(path, tokens):
                self.probe.remains.append(path)
        self.paths.clear()
        del self.probe.client.exchanges[sent:]

    def _tokens(self) -> Iterator[GivenToken]:
        people = [person for person in (self.probe.a, self.probe.fixture.other) if person]
        for scope, patient in ((SERVICE, ""), *((WIDEST, person.id) for person in people)):
            with suppress(Skip):
                yield self.probe.token(scope, patient)

    def _is_deleted(self, path: str, tokens: list[GivenToken]) -> bool:
        """Whether none of them finds it any more."""
        try:
            for token in tokens:
                if self._finds(path, token):
                    self.probe.send("DELETE", path, token)
            return not any(self._finds(path, token) for token in tokens)
        except (NoAnswer, Stop):
            return False

    def _finds(self, path: str, token: GivenToken) -> bool:
        return self.probe.send("GET", path, token).is_ok


@contextmanager
def copies(probe: Probe) -> Iterator[Copies]:
    """Raises Skip unless writing was allowed."""
    probe.need_writes()
    made = Copies(probe)
    try:
        yield made
    finally:
        made.delete_all()
