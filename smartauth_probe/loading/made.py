"""What was made on the server under test, and how it is deleted again, whatever happens in between."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import unquote

from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.segments import segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json, identifiers, name_of
from smartauth_probe.target.client import Stop
from smartauth_probe.target.probe import WIDEST, Probe
from smartauth_probe.target.sending import Pairs
from smartauth_probe.tokens.source import GivenToken

SYSTEM = "https://smartauth.example/probe"
SERVICE = "system/*.cruds"
GONE = frozenset({404, 410})
SILENCES = 3  # one after the other, before a server is taken for gone


def new_identifier() -> dict[str, str]:
    """By which a record is found again, whatever becomes of the answer that told its id."""
    return {"system": SYSTEM, "value": f"probe-{token_hex(6)}"}


def search_value(identifier: Json) -> str:
    return f"{identifier['system']}|{identifier['value']}"


@dataclass
class Made:
    """`paths` are of everything that was made and is to be deleted; what stays is named in the probe's `remains`.

    `unanswered` are types and identifiers of what was sent, while no answer has told where it is.
    """

    probe: Probe
    paths: dict[str, None] = field(default_factory=dict)
    unanswered: list[tuple[str, Json]] = field(default_factory=list)

    @contextmanager
    def sending(self, kind: str, content: Json) -> Iterator[None]:
        """A request that makes this; if it is interrupted, what it made is looked for in the end."""
        sent = (kind, _identifier(content))
        self.unanswered.append(sent)
        try:
            yield
        except (Skip, Stop):  # refused, or not sent
            self.unanswered.remove(sent)
            raise
        self.unanswered.remove(sent)

    @contextmanager
    def sending_all(self, entries: Iterable[Json]) -> Iterator[None]:
        """The same of the entries of a Bundle."""
        with ExitStack() as each_sent:
            for resource in filter(None, (entry.get("resource") for entry in entries)):
                each_sent.enter_context(self.sending(str(resource.get("resourceType", "")), resource))
            yield

    def send_json(
        self, method: str, path: str, content: object, token: GivenToken, *headers: tuple[str, str], query: Pairs = ()
    ) -> Answer:
        typed = (("Content-Type", self.probe.facts.accept), *headers)
        return self.probe.send(method, path, token, query, typed, json.dumps(content))

    def note(self, answer: Answer, path: str, content: Json | None = None) -> str:
        """Where the new record is: as the answer says, else at the path itself.

        Where nobody says so it is "", and what has this content is looked for in the end.
        """
        place = _place(answer, path)
        if place:
            self.paths[place] = None
        elif content:
            self.unanswered.append((path, _identifier(content)))
        return place

    def delete_all(self) -> None:
        """With the tokens of a service and of each patient, the last one first. No report shows these requests.

        It has requests and time of its own, since what was allowed may be used up.
        """
        if self.probe.client.is_dry:
            return
        sent = len(self.probe.client.exchanges)
        try:
            with self.probe.client.extended():
                tokens = list(self._tokens())
                self._find_unanswered(tokens)
                self._delete_each(tokens)
                if self.paths:  # the tokens may have ended, or a connection was lost
                    self.probe.forget_tokens()
                    self._delete_each(list(self._tokens()))
        finally:
            self.probe.remains += self.paths
            self.probe.remains += (f"{kind}?identifier={search_value(each)}" for kind, each in self.unanswered if each)
            self.paths.clear()
            self.unanswered.clear()
            del self.probe.client.exchanges[sent:]

    def _tokens(self) -> Iterator[GivenToken]:
        people = [person for person in (self.probe.a, self.probe.fixture.other) if person and person.id]
        for scope, patient in ((SERVICE, ""), *((WIDEST, person.id) for person in people)):
            with suppress(Skip):
                yield self.probe.token(scope, patient)

    def _find_unanswered(self, tokens: Sequence[GivenToken]) -> None:
        """What was made although no answer said so; what cannot be searched for may be there."""
        for kind, identifier in [each for each in self.unanswered if each[1]]:
            for token in tokens:
                with suppress(NoAnswer, Stop):
                    answer = self.probe.search(kind, token, ("identifier", search_value(identifier)))
                    named = (each for each in answer.entries if each.get("resourceType") == kind and each.get("id"))
                    self.paths |= dict.fromkeys(name_of(each) for each in named if identifier in identifiers(each))
                    if answer.is_ok:
                        self.unanswered.remove((kind, identifier))
                        break

    def _delete_each(self, tokens: Sequence[GivenToken]) -> None:
        silences = 0
        for path in reversed(list(self.paths)):
            try:
                if self._is_deleted(path, tokens):
                    del self.paths[path]
                silences = 0
            except Skip:  # an id that leads elsewhere: nothing is sent
                continue
            except NoAnswer:
                silences += 1
            except Stop:
                return
            if silences == SILENCES:
                return

    def _is_deleted(self, path: str, tokens: Sequence[GivenToken]) -> bool:
        """Whether none of them finds it any more, and one of them is told so. Raises NoAnswer, Stop."""
        answers = [self._answer_after_delete(path, token) for token in tokens]
        if any(answer.is_ok for answer in answers):
            return False
        unknown = self.probe.status_of_unknown_id if self.probe.a.id else 404
        gone = GONE | {unknown} if unknown in (403, 404, 410) else GONE  # a server that breaks tells nothing
        return any(answer.status in gone for answer in answers)

    def _answer_after_delete(self, path: str, token: GivenToken) -> Answer:
        answer = self.probe.send("GET", path, token)
        if not answer.is_ok:
            return answer
        self.probe.send("DELETE", path, token)
        return self.probe.send("GET", path, token)


def _identifier(content: Json) -> Json:
    return next(iter(identifiers(content)), {})


def _place(answer: Answer, path: str) -> str:
    """Type and id of what was made, "" where nobody says so."""
    kind = path.partition("/")[0]
    location = (answer.headers.get("Location") or "").partition("/_history")[0].split("/")
    if answer.type == kind and answer.id:
        return f"{kind}/{segment(answer.id)}"
    if location[-2:-1] == [kind] and location[-1]:
        return f"{kind}/{segment(unquote(location[-1]))}"
    return path if "/" in path else ""
