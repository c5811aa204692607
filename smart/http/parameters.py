"""The parameters of a request, each at most once (RFC 6749 §3.1, §3.2)."""

from collections.abc import Iterator, Mapping
from typing import Self, TypeVar, overload
from urllib.parse import unquote_plus

MAX_PARAMETERS = 100
T = TypeVar("T")


class MalformedParameters(ValueError):
    """Not application/x-www-form-urlencoded UTF-8 without NUL, or more parameters than anybody sends."""


def form_pairs(raw: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string or form body as they came. Raises MalformedParameters."""
    parts = raw.split(b"&")
    if len(parts) > MAX_PARAMETERS:
        raise MalformedParameters("too many parameters")
    try:
        cut = [part.decode("ascii").partition("=") for part in parts if part]
        pairs = [(_decoded(name), _decoded(value)) for name, _, value in cut]
    except ValueError as error:
        raise MalformedParameters("not form-encoded UTF-8") from error
    if b"\0" in raw or b"%00" in raw:
        raise MalformedParameters("a NUL character was sent")
    return pairs


def _decoded(text: str) -> str:
    """A token or an id has nothing to decode, which is seen in a fraction of the time."""
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


class Parameters(Mapping[str, str]):
    """What was sent once and not empty. Sent empty counts as omitted, sent twice is named in `repeated`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.repeated: frozenset[str] = frozenset()
        self._values: dict[str, str] = {}
        seen: set[str] = set()
        for name, value in pairs:
            if name in seen:
                self.repeated |= {name}
            seen.add(name)
            if value:
                self._values[name] = value
        for name in self.repeated:
            self._values.pop(name, None)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The parameters of a query string or form body. Raises MalformedParameters."""
        return cls(form_pairs(raw))

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T, /) -> str | T: ...
    def get(self, name: str, default: object = None, /) -> object:
        """As every mapping has it, without an exception where nothing was sent."""
        return self._values.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
