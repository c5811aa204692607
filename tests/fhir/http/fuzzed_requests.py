"""Requests that nobody would write, drawn from a seed: request 17 of seed 3 is the same one everywhere and always."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from fhir.versions.version import load_version
from tests.checklist import tokens
from tests.fhir.http.odd_values import (
    CONDITIONS,
    CONTEXTS,
    FORM,
    FULL,
    HEADERS,
    LETTERS,
    METHODS,
    MODIFIERS,
    ODD_SEGMENTS,
    ODD_TEXTS,
    OPERATIONS,
    PATCH,
    POINTERS,
    SPECIAL,
)  # fmt: skip

VERSIONS = ("dstu2", "stu3", "r4")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """One request; `claims` are what introspection says of its token, None where it brings no good one."""

    version: str
    method: str
    path: str
    claims: Mapping[str, Any] | None
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Source:
    """Draws requests about the records of a version: `records` are its resources as they were loaded."""

    version: str
    base: str
    records: Sequence[dict[str, Any]]
    random: Random = field(default_factory=Random)
    oddness: float = 0.0
    likely: Sequence[dict[str, Any]] = ()

    def request(self, seed: str) -> Fuzzed:
        """A little odd or very, half of them with a good token."""
        self.random.seed(seed)
        self.oddness = self._some(0.0, 0.03, 0.1, 0.4)
        claims = self._some(self._claims(), None)
        self._reach((claims or {}).get("patient", ""))
        method, path = self._asked()
        authorization = "Bearer a.good-token" if claims else self._some("", "Bearer", "Bearer a b", "Basic YTpi", "é")
        headers = {"CONTENT_TYPE": self._type(method, path), **self._headers(), "HTTP_AUTHORIZATION": authorization}
        return Fuzzed(self.version, method, path, claims, headers, self._body(method, path))

    def _reach(self, patient: str) -> None:
        """Mostly asks about records that name that patient."""
        own = [one for one in self.records if f'"Patient/{patient}"' in json.dumps(one) or one["id"] == patient]
        self.likely = own if own and self.random.random() < 0.7 else self.records

    def _some(self, *values: Any) -> Any:
        return self.random.choice(values)

    def _usual(self, usual: Any, *odd: Any) -> Any:
        return self._some(*odd) if self.random.random() < self.oddness else usual

    def _text(self) -> str:
        letter = chr(self._some(self.random.randrange(1, 128), self.random.randrange(128, 0xD800)))
        return str(self._some(*ODD_TEXTS, letter * 3))

    def _record(self) -> dict[str, Any]:
        found: dict[str, Any] = self._some(*self.likely)
        return found

    def _claims(self) -> dict[str, Any]:
        """Those of the checklist, or some scopes for somebody."""
        known = tokens(self.base)
        self.likely = self.records
        patients = [one["id"] for one in self.records if one["resourceType"] == "Patient"]
        patient = self._usual(self._some("amy", "ben", *patients), self._text())
        scope = self._some(*FULL, " ".join(self._scope() for _ in range(self._some(1, 2, 3))))
        drawn = {"scope": scope, "patient": patient, "__patients": [patient]}
        return dict(self._some(drawn, drawn, known["TsAll"], known[self._some(*known)]))

    def _scope(self) -> str:
        name = self._some("*", "Observation", self._record()["resourceType"])
        query = self._usual(
            "", f"?category={quote(self._text())}", "?category=laboratory", f"?odd={quote(self._text())}"
        )
        return f"{self._some(*CONTEXTS)}/{name}.{self._some(*LETTERS)}{query}"

    def _asked(self) -> tuple[str, str]:
        record = self._record()
        name, id_ = (
            self._usual(record["resourceType"], "Nonsense", self._text()),
            self._usual(record["id"], self._text()),
        )
        patient = self._usual(self._some("amy", "ben", "zoe-arceneaux"), self._text())
        number, segment = self._usual(self._some("1", "2"), self._text()), self._some(*ODD_SEGMENTS)
        methods, *parts = self._some(
            ("GET", name), ("GET", name), ("GET", name), ("POST", name), ("POST", name), ("PUT PATCH DELETE", name),
            ("GET HEAD", name, id_), ("GET", name, id_), ("PUT", name, id_), ("PUT", name, id_), ("PATCH", name, id_),
            ("DELETE", name, id_), ("GET", name, id_, "_history"), ("GET", name, id_, "_history", number),
            ("GET", name, "_history"), ("POST", name, "_search"), ("GET POST",), ("GET",), ("GET", "_history"),
            ("POST", "_search"), ("GET POST", "Patient", patient, "$everything"), ("GET", "Patient", patient, name),
            ("GET", "Patient", patient, "*"), ("GET", "Patient", "$everything"), ("GET", "metadata"),
            ("GET POST", self._text(), segment), ("GET POST", name, id_, segment),
        )  # fmt: skip
        query = urlencode([self._parameter(name) for _ in range(self._some(0, 0, 1, 1, 2, 3))])
        path = "/".join(quote(part, safe="$*") for part in parts)
        asked = f"{path}?{self._usual(query, query + '&%=%zz&%ff')}" if query else path
        return self._usual(self._some(*methods.split()), *METHODS), asked

    def _parameter(self, name: str) -> tuple[str, str]:
        """A parameter of the type with a value of somebody's, a special one, or nonsense."""
        known = load_version(self.version).types.get(name)
        if known is None or not known.parameters or self.random.random() < 0.3:
            special = self._some(*SPECIAL)
            return str(self._usual(special, self._text())), str(
                self._usual(self._some(*SPECIAL[special]), self._text())
            )
        modifier, chain = self._some(*MODIFIERS), self._some("", ":Patient.family", ".name", ".odd.odd")
        named = self._some(*known.parameters) + self._usual("", f":{modifier}", chain)
        return named, str(self._usual(self._value(), self._text()))

    def _value(self) -> str:
        record = self._record()
        reference = f"{record['resourceType']}/{record['id']}"
        return str(
            self._some(record["id"], reference, "Patient/amy", "Patient/ben", "4548-4", "ge2020-01-01", "final", "a")
        )

    def _headers(self) -> dict[str, str]:
        chosen = self._usual([], [self._some(*HEADERS)], self.random.sample([*HEADERS], 3))
        return {name: str(self._usual(self._some(*HEADERS[name]), "é")) for name in chosen}

    def _type(self, method: str, path: str) -> str:
        usual = PATCH if method == "PATCH" else FORM if "_search" in path else load_version(self.version).media_types[0]
        return str(self._usual(usual, "application/json", "text/plain", ";="))

    def _body(self, method: str, path: str) -> bytes:
        if method not in ("POST", "PUT", "PATCH"):
            return bytes(self._usual(b"", b"{}", b"a=b"))
        if "_search" in path:
            return urlencode([self._parameter(path.partition("/")[0]) for _ in range(self._some(0, 1, 3))]).encode()
        made = self._bundle() if path[:1] in ("", "?") else self._patch() if method == "PATCH" else self._resource(path)
        text = json.dumps(made)
        broken = (
            text[: len(text) // 2],
            text + "}",
            text.replace('"', "'"),
            "[" * 500,
            '{"a": 1, "a": 2}',
            "\xff\ufffe",
            "",
        )
        return str(self._usual(text, *broken)).encode()

    def _resource(self, path: str = "") -> Any:
        """A record of the type and id that the path names, or another, with something changed and without its tag."""
        name, _, id_ = path.partition("?")[0].partition("/")
        alike = [one for one in self.likely if one["resourceType"] == name and one["id"] in (id_ or one["id"], "")]
        found = json.loads(json.dumps(self._usual(self._some(*(alike or self.records)), self._record())))
        found.get("meta", {}).pop("tag", None)
        for _ in range(self._usual(self._some(0, 0, 1), 1, 2)):
            self._change(found)
        return found

    def _change(self, content: dict[str, Any]) -> None:
        place, key = content, self._usual(self._some(*content), "odd")
        while isinstance(place.get(key), dict) and place[key] and self.random.random() < 0.7:
            place, key = place[key], self._some(*place[key])
        place[key] = self._odd_value()

    def _odd_value(self) -> Any:
        deep: Any = 1
        for _ in range(100):
            deep = [deep]
        return self._some(
            None, True, 0, -1, 1e300, 10**30, self._text(), [], {}, [None], deep, "\ud800", {"reference": self._text()},
            {"reference": f"Patient/{self._some('amy', 'ben')}"}, "x" * 20_000, [{"reference": "Patient/ben"}] * 3,
        )  # fmt: skip

    def _patch(self) -> Any:
        one = {"op": self._some(*OPERATIONS[:3]), "path": self._some(*POINTERS), "value": self._odd_value()}
        one |= self._usual({}, {"op": self._some(*OPERATIONS), "from": self._some("/subject", "/", "x")})
        return self._usual([one] * self._some(1, 2), {}, [1], [], [one] * 101)

    def _bundle(self) -> Any:
        entries = [self._entry() for _ in range(self._some(0, 1, 2, 5))]
        kind = self._usual(self._some("batch", "transaction"), "document", 1)
        return {"resourceType": "Bundle", "type": kind, "entry": self._usual(entries, entries * 60, {}, [1])}

    def _entry(self) -> Any:
        method, path = self._asked()
        request: Any = {"method": method, "url": path}
        for name in self._usual([], [self._some(*CONDITIONS)]):
            request[name] = self._some('W/"1"', "identifier=x", "", self._text(), 1)
        entry = {"request": self._usual(request, self._odd_value())}
        if method in ("POST", "PUT"):
            entry["resource"] = self._usual(self._resource(path), 1)
        return self._usual(entry, {**entry, "fullUrl": self._some("urn:uuid:1", "", self._text())}, self._odd_value())
