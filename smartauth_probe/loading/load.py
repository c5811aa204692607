"""Loads two patients with some records each, for a server that has none to be probed with (--load)."""

from collections.abc import Sequence
from secrets import token_hex
from urllib.parse import unquote

from smartauth_probe.loading import contents
from smartauth_probe.loading.made import GONE, SERVICE, Made, new_identifier
from smartauth_probe.segments import segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.named_records import NamedRecords
from smartauth_probe.tokens.source import GivenToken

MAY_WRITE = f"--load takes a token for {SERVICE}"
NO_CREATE = frozenset({404, 405, 501})


class CannotLoad(Exception):
    """Why there are no records to begin with."""


class Loaded(Made):
    """What was loaded; deleted with all else that was made."""

    takes_ids = False  # whether records are made by PUT, since the server makes none by POST
    refusal = ""  # what the last record was refused with

    def load(self, patients: Sequence[str] = ()) -> NamedRecords:
        """The paths of their records by patient, A first. With `patients` they get these ids. Raises CannotLoad."""
        try:
            token = self.probe.token(SERVICE, "")
        except Skip as reason:
            raise CannotLoad(f"{MAY_WRITE}. {reason}") from None
        ids = [*patients, "", ""][:2]
        return dict(self._load_patient(letter, key, token) for letter, key in zip("AB", ids, strict=True))

    def _load_patient(self, letter: str, key: str, token: GivenToken) -> tuple[str, tuple[str, ...]]:
        version = self.probe.facts.version
        path = self._load(contents.patient(letter, version), token, key)
        if not path:
            raise CannotLoad(f"No patient was loaded: {self.refusal}. {MAY_WRITE} that may create patients.")
        every = contents.records(letter, version, path)
        named = [self._load(content, token) for content in every if self._may_make(content["resourceType"])]
        if not any(named):
            raise CannotLoad(
                f"No record was loaded for a patient: {self.refusal or 'the server says it has no create'}."
            )
        return unquote(path.partition("/")[2]), tuple(filter(None, named))

    def _may_make(self, kind: str) -> bool:
        return any(self.probe.facts.may_do(kind, each) for each in ("create", "update"))

    def _load(self, content: Json, token: GivenToken, key: str = "") -> str:
        """Type and id of the new record, "" where the server makes none."""
        new, kind = {**content, "identifier": [new_identifier()]}, content["resourceType"]
        if key:
            return self._put(f"{kind}/{segment(key)}", new, token)
        if not self.takes_ids:
            with self.sending(kind, new):
                answer = self.send_json("POST", kind, new, token)
            if answer.is_ok or answer.status not in NO_CREATE:
                return self._place(answer, kind, new)
        self.takes_ids = True
        return self._put(f"{kind}/probe-{token_hex(6)}", new, token)

    def _put(self, path: str, content: Json, token: GivenToken) -> str:
        """At an id that was free; else nothing is written. Raises CannotLoad."""
        there = self.probe.send("GET", path, token)
        if there.status not in GONE and not self.probe.client.is_dry:
            raise CannotLoad(f"{path} is not free: GET answered {there}. Nothing that was there before is changed.")
        self.paths[path] = None
        named = {**content, "id": unquote(path.partition("/")[2])}
        return self._place(self.send_json("PUT", path, named, token, ("If-None-Match", "*")), path, content)

    def _place(self, answer: Answer, path: str, content: Json) -> str:
        if self.probe.client.is_dry:
            return path if "/" in path else f"{path}/{token_hex(3)}"
        if answer.is_ok:
            return self.note(answer, path, content)
        self.refusal = f"{path.partition('/')[0]} answered {answer}"
        return ""
