"""Media types as headers name them (RFC 9110 §8.3.1, §12.5.1), read once from left to right whatever they hold."""

import re
from collections.abc import Mapping
from typing import NamedTuple

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_WEIGHT_ZERO = re.compile(r"0(\.0{0,3})?")


class MediaType(NamedTuple):
    """A type or range with its parameters, names in lower case; the name is "" where there is none."""

    name: str
    parameters: Mapping[str, str]

    @property
    def is_refused(self) -> bool:
        """Whether its sender does not take it: a weight of zero (RFC 9110 §12.4.2)."""
        return _WEIGHT_ZERO.fullmatch(self.parameters.get("q", "1")) is not None


def parse_media_type(text: str) -> MediaType:
    """The media type of a Content-Type; of a parameter that comes twice the first counts."""
    name, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for parameter in rest:
        key, _, value = parameter.partition("=")
        parameters.setdefault(key.strip().lower(), value.strip().strip('"'))
    return MediaType(name.strip().lower(), parameters)


def parse_accept(text: str) -> tuple[MediaType, ...]:
    """The media ranges of an Accept header."""
    return tuple(map(parse_media_type, text.split(",")))
