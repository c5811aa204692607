"""One scope: the grammar of SMART scopes, v1 and v2 (SCP-01 to SCP-04, SCP-10, SCP-18, SCP-22)."""

import re
from dataclasses import dataclass
from typing import Self, TypeAlias
from urllib.parse import unquote

ACTIONS = "cruds"
V1_ACTIONS = {"read": "rs", "write": "cud", "*": "cruds"}
WRITING = frozenset(V1_ACTIONS["write"])
CONTEXTS = ("patient", "user", "system")
URI_PREFIXES = ("http://smarthealthit.org/fhir/scopes/", "http://openid.net/specs/openid-connect-core-1_0#")
LAUNCH_SCOPES = ("launch", "launch/patient", "launch/encounter")
PLAIN_NAMES = frozenset({"openid", "fhirUser", "profile", "email", "launch", "offline_access", "online_access"})

Query: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]

LEGAL_CHARACTERS = frozenset(map(chr, (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))))  # RFC 6749 §3.3
_RESOURCE = re.compile(
    r"(?P<context>patient|user|system)/(?P<resource>\*|[A-Z][A-Za-z]*)"
    r"\.(?P<actions>read|write|\*|c?r?u?d?s?)(?:\?(?P<query>.*))?"
)
_LAUNCH = re.compile(r"launch/[a-z]+(\?role=[^&?=]+)?")
_OWN = re.compile(r"__.+|[A-Za-z][A-Za-z0-9+.-]*:.+")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedQuery(ValueError):
    """Not a FHIR search: nothing may be granted for it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one scope name allows. `name` stays as it was asked, so that the answer can use the same words (SCP-03)."""

    name: str
    context: str = ""
    resource: str = ""
    actions: frozenset[str] = frozenset()
    query: Query = ()

    def __hash__(self) -> int:
        """Of the name alone, which says the rest: scopes are looked up by their set at every decision."""
        return hash(self.name)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Never raises; what is malformed becomes a plain name, which covers itself and allows nothing (SCP-04)."""
        match = _RESOURCE.fullmatch(without_prefix(name)) if is_legal_name(name) else None
        if match is None:
            return cls(name)
        letters, query = match["actions"], match["query"]
        if not letters or (query is not None and letters in V1_ACTIONS):
            return cls(name)
        try:
            parsed = () if query is None else parse_query(query)
        except MalformedQuery:
            return cls(name)
        return cls(name, match["context"], match["resource"], frozenset(V1_ACTIONS.get(letters, letters)), parsed)

    @property
    def short_name(self) -> str:
        """The name without the prefix of its URI form (SCP-22)."""
        return without_prefix(self.name)

    @property
    def is_v1(self) -> bool:
        """Whether it was asked in the v1 syntax (.read, .write, .*)."""
        return bool(self.context) and self.name.rpartition(".")[2] in V1_ACTIONS

    @property
    def is_known(self) -> bool:
        """Whether it is a scope of SMART or OpenID, or one that an operator may define (SCP-14, SCP-18)."""
        if self.context:
            return True
        name = self.short_name
        return self.is_operator_defined or (
            is_legal_name(name) and bool(name in PLAIN_NAMES or _LAUNCH.fullmatch(name))
        )

    @property
    def is_operator_defined(self) -> bool:
        """Whether it is one that an operator defined (SCP-18)."""
        name = self.short_name
        return not self.context and is_legal_name(name) and bool(_OWN.fullmatch(name))

    def covers(self, other: Self) -> bool:
        """Whether a holder of this scope may do everything that `other` asks for."""
        if not self.context or not other.context:
            return not (self.context or other.context) and self.short_name == other.short_name
        return (
            self.context == other.context
            and self.resource in ("*", other.resource)
            and self.actions >= other.actions
            and is_implied(self.query, by=other.query)
        )


def is_legal_name(name: str) -> bool:
    """Whether it is there and uses only the characters of RFC 6749 §3.3."""
    return bool(name) and LEGAL_CHARACTERS.issuperset(name)


def without_prefix(name: str) -> str:
    """The name itself where it was sent in its URI form (SCP-22)."""
    for prefix in URI_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def parse_query(text: str) -> Query:
    """A scope's restriction as FHIR search reads it: `&` is AND, an unescaped comma is OR (SCP-10)."""
    return tuple(sorted({_restriction(part) for part in text.split("&")}))


def is_implied(wide: Query, *, by: Query) -> bool:
    """Whether every record that passes `by` passes `wide` too."""
    return all(any(name == other and set(values) >= set(kept) for other, kept in by) for name, values in wide)


def action_letters(actions: frozenset[str]) -> str:
    """The letters in the one order that the grammar allows."""
    return "".join(action for action in ACTIONS if action in actions)


def _restriction(part: str) -> tuple[str, tuple[str, ...]]:
    name, _, value = part.partition("=")
    values = tuple(sorted(set(_UNESCAPED_COMMA.split(_decode(value)))))
    name = _decode(name)
    if not name or not all(values):
        raise MalformedQuery(part)
    return name, values


def _decode(text: str) -> str:
    if _PERCENT.search(text):
        raise MalformedQuery(text)
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise MalformedQuery(text) from error
