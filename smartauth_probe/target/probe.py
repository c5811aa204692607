"""What a check works with: tokens, two patients, and a FHIR server that it asks."""

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import presentation
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json, identifiers
from smartauth_probe.target.fixture import UNKNOWN_ID, Fixture, Person
from smartauth_probe.target.sending import Sending
from smartauth_probe.target.server_facts import ServerFacts
from smartauth_probe.tokens.source import GivenToken, NoToken, TokenSource, Wanted

NO_TOKEN = GivenToken("", "no token")
NOT_DONE = frozenset({400, 404, 405, 406, 415, 422, 501})
WIDEST = "patient/*.cruds"
READER = "patient/*.rs"
SERVICE = "system/*.rs"


@dataclass
class Probe(Sending):
    source: TokenSource
    facts: ServerFacts
    fixture: Fixture
    writes: bool = False
    private: dict[str, str] = field(default_factory=dict)
    remains: list[str] = field(default_factory=list)  # what was made and could not be deleted
    _tokens: dict[Wanted, GivenToken] = field(default_factory=dict)
    _unknown: int = 0

    @property
    def a(self) -> Person:
        return self.fixture.a

    @property
    def b(self) -> Person:
        """Raises Skip."""
        return self.fixture.b

    @property
    def unknown_id(self) -> str:
        """An id that no record ever had."""
        return UNKNOWN_ID

    @property
    def is_loopback(self) -> bool:
        return self.client.is_loopback

    # tokens

    def token(self, scope: str = READER, patient: str | None = None, *, user: str = "", **claims: object) -> GivenToken:
        """A good token for A, or for the patient of that id, "" for none. Made once. Raises Skip."""
        about = self.a.id if patient is None else patient
        wanted = Wanted(scope, about, user, tuple(sorted(claims.items())))
        if wanted not in self._tokens:
            value = "dry" if self.client.is_dry else self._made(wanted)
            self._tokens[wanted] = GivenToken(value, str(wanted))
        return self._tokens[wanted]

    def reader(self, patient: str) -> GivenToken:
        """The patient's own token; that of a backend service where the source has none for patients. Raises Skip."""
        try:
            return self.token(READER, patient)
        except Skip as none_for_patients:
            with suppress(Skip):
                return self.token(SERVICE, "")
            raise none_for_patients from None

    def new_token(self, scope: str, patient: str = "") -> GivenToken:
        """Another good token, as an app gets when the one before has ended. Raises Skip."""
        wanted = Wanted(scope, patient)
        return GivenToken("dry" if self.client.is_dry else self._made(wanted), f"a new {wanted}")

    def _made(self, wanted: Wanted) -> str:
        try:
            return self.source.token(wanted)
        except NoToken as reason:
            raise Skip(str(reason), reason.to_run) from None

    def token_to_end(self, scope: str) -> GivenToken:
        """One for A that nobody else has. Raises Skip."""
        if self.client.is_dry:
            return GivenToken("dry", scope)
        return GivenToken(self._made(Wanted(scope, self.a.id)), f"{scope} for {self.a.id}, to be revoked")

    def end(self, token: GivenToken) -> None:
        """Revokes it. Raises Skip."""
        try:
            if not self.client.is_dry:
                self.source.end(token.value)
        except NoToken as reason:
            raise Skip(str(reason), reason.to_run) from None

    @property
    def is_good_token_refused(self) -> bool:
        """Whether one of them got 401 since the exchanges were emptied: it may have ended meanwhile."""
        labels = {token.label for token in self._tokens.values()}
        return any(each.answer and each.answer.status == 401 and each.token in labels for each in self.client.exchanges)

    def forget_tokens(self) -> None:
        """The next check gets new ones."""
        self._tokens.clear()

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        """One of that kind of the catalogue, with the request that presents it. Raises Skip."""
        if self.client.is_dry:
            return BadToken(kinds()[kind], "dry", self.client.base, presentation(kind, "dry", self.a.id))
        try:
            return self.source.bad_token(kind, listens_at)
        except NoToken as reason:
            raise Skip(str(reason), reason.to_run) from None

    def present(self, bad: BadToken, *more: tuple[str, str]) -> Answer:
        """Sends it, with more headers than its own."""
        return self.client.send(replace(bad.request, headers=(*bad.request.headers, *more)), bad.kind.name)

    # what can be asked

    def create(self, kind: str, content: Json, token: GivenToken) -> str:
        """The id of a new record with this content. Raises Skip where the server makes none."""
        new = {name: value for name, value in content.items() if name not in ("id", "meta")}
        headers = (("Content-Type", self.facts.accept),)
        made = self.need(f"POST {kind}", self.send("POST", kind, token, headers=headers, body=json.dumps(new)))
        location = (made.headers.get("Location") or "").partition("/_history")[0]
        key = made.id or unquote(location.rpartition("/")[2])
        if not key and not self.client.is_dry:
            raise Skip("What was created cannot be found: the answer has neither the resource nor a Location.")
        return key or "made"

    def need(self, what: str, answer: Answer) -> Answer:
        """The answer to somebody who may. Raises Skip where it says that the server does not do such a thing."""
        if not answer.is_ok and not self.client.is_dry:
            raise Skip(f"The server does not do it, or not here: {what} answered {answer.status} to a token that may.")
        return answer

    def need_interaction(self, kind: str, interaction: str) -> None:
        """Raises Skip where the server says that it has none."""
        if not self.facts.may_do(kind, interaction):
            raise Skip(f"The CapabilityStatement has no {interaction} for {kind}.")

    def need_parameter(self, kind: str, parameter: str) -> None:
        """Raises Skip where the server says that it knows no such parameter."""
        if not self.facts.may_search_by(kind, parameter):
            raise Skip(f"The CapabilityStatement has no parameter {parameter} for {kind}.")

    def need_writes(self) -> None:
        """Raises Skip unless writing was allowed."""
        if not self.writes:
            raise Skip("Reads only: writing was not allowed.", "--writes, on a server without real data")

    @property
    def status_of_unknown_id(self) -> int:
        """What a good token gets for an id that never existed."""
        if not self._unknown:
            self._unknown = self.read("Patient", self.unknown_id, self.reader(self.a.id)).status
        return self._unknown or 404

    @property
    def identifier_of_b(self) -> str:
        """A record number of B, as their own token reads it. Raises Skip."""
        answer = self.read("Patient", self.b.id, self.reader(self.b.id))
        for each in identifiers(answer.resource):
            if isinstance(each.get("value"), str):
                return self.hide(each["value"], "a record number of B")
        raise Skip("Patient B has no identifier that was found.", "an identifier for B")

    def hide(self, value: str, words: str) -> str:
        """The same value, in whose place every report has these words: it is from somebody's record."""
        self.private[value] = words
        return value
