"""What a kind of bad token is: what is wrong with it, which servers it fools, and the answer that it must get."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fools(StrEnum):
    """Which servers are at risk: those that verify JWTs, those that introspect, both, any server at all."""

    JWT = "J"
    INTROSPECTION = "I"
    BOTH = "J I"
    ANY = "all"
    NONE = "none"

    @property
    def jwt_verifiers(self) -> bool:
        return self in {Fools.JWT, Fools.BOTH, Fools.ANY}

    @property
    def introspection(self) -> bool:
        return self in {Fools.INTROSPECTION, Fools.BOTH, Fools.ANY}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server must answer to `GET {base}/Patient/{patient in context}`; `text` as the specification writes it.

    `errors` says which error WWW-Authenticate has to name with a status, "" for none (RFC 6750 §3.1); what is not in it
    may name any. With `hides`, the answer to an id that never existed is right too.
    """

    text: str
    statuses: frozenset[int]
    errors: Mapping[int, str]
    hides: bool = False

    def is_met_by(self, status: int, *, of_unknown_id: int = 404) -> bool:
        """Whether this status is right at a server that answers `of_unknown_id` to an id which never existed."""
        return status in self.statuses or (self.hides and status == of_unknown_id)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Why servers take such a token for something else than it is, and how to fix that; a line of code for each.

    `wrong` is the mistake, `right` what stands there without it: short, in the manner of Python.
    """

    why: str
    fix: str
    wrong: str
    right: str

    def as_json(self) -> dict[str, Any]:
        return {"why": self.why, "fix": self.fix, "code": {"wrong": self.wrong, "right": self.right}}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of bad token, or a good twin. `id` is the line of the specification, which several kinds may share.

    `wrong` is a sentence. `policy` says what a server may decide otherwise: that is reported, and is no hole. A server
    that takes no such request answers it with a status of `not_applicable`, and looks at no token in it.
    """

    id: str
    name: str
    group: str
    wrong: str
    fools: Fools
    answer: Answer
    source: str
    remedy: Remedy
    policy: str = ""
    not_applicable: frozenset[int] = frozenset()

    @property
    def is_good(self) -> bool:
        """Whether it must be let in."""
        return self.fools is Fools.NONE

    def as_json(self) -> dict[str, Any]:
        """The kind as it is told to tools in other languages."""
        fools = {"jwt": self.fools.jwt_verifiers, "introspection": self.fools.introspection}
        about = {"id": self.id, "kind": self.name, "group": self.group, "wrong": self.wrong, "policy": self.policy}
        answer = {
            "statuses": sorted(self.answer.statuses),
            "errors": {str(status): error for status, error in self.answer.errors.items()},
            "as_unknown_id": self.answer.hides,
            "not_applicable": sorted(self.not_applicable),
        }
        fooled = [name for name, is_fooled in fools.items() if is_fooled]
        return {**about, "fools": fooled, "answer": answer, **self.remedy.as_json()}


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds that have something in common, which `sentence` says."""

    title: str
    sentence: str
    kinds: tuple[Kind, ...]
