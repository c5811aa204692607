"""What a resource says for its search parameters: the rows of an index that answers as `Criterion.matches` does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from smart.digests import sha256_hex
from smart.fhir.definitions import ResourceDefinition, SearchParameter
from smart.fhir.elements import Json, elements_at, reference_target
from smart.search.criteria import fold, stored_interval, system_and_code

IDENTIFIER = ":identifier"  # what a reference says of an identifier is a token beside it
LONGEST_KEY = 200
START = 64  # bytes of a text by which it is found
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TokenRow(NamedTuple):
    parameter: str
    system: str | None
    code: str | None


class StringRow(NamedTuple):
    parameter: str
    start: bytes | None
    folded: str
    exact: str


class DateRow(NamedTuple):
    parameter: str
    low: int | None
    high: int | None


class ReferenceRow(NamedTuple):
    parameter: str
    type: str
    target: str


Row = TokenRow | StringRow | DateRow | ReferenceRow


def index_rows(content: Json, defined: ResourceDefinition, base: str) -> Iterator[Row]:
    """A row for each value of each parameter. An element that no value fits has an empty one: it is not missing."""
    for parameter in defined.parameters.values():
        found: set[Row] = set()
        for path in parameter.paths:
            for element in elements_at(content, path):
                found.update(_rows(element, parameter, base))
        yield from found


def key(text: str) -> str:
    """A text as it is compared for equality in an index, however long it is."""
    return text if len(text) <= LONGEST_KEY and "\0" not in text else sha256_hex(text) * 4


def microseconds(moment: datetime) -> int:
    """Since 1970; what is before is negative."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _rows(element: Json, parameter: SearchParameter, base: str) -> Iterator[Row]:
    match parameter.type:
        case "token":
            yield from _tokens(element, parameter.name)
        case "string":
            yield _string(element, parameter.name)
        case "date":
            yield _date(element, parameter.name)
        case _:
            yield from _references(element, parameter, base)


def _tokens(element: Json, name: str) -> Iterator[TokenRow]:
    is_concept = isinstance(element, dict) and "coding" in element
    codings = list(elements_at(element, ("coding",))) if is_concept else [element]
    if not codings:
        yield TokenRow(name, None, None)
    for coding in codings:
        system, code = system_and_code(coding)
        yield TokenRow(
            name, key(system) if isinstance(system, str) else None, key(code) if isinstance(code, str) else None
        )


def _string(element: Json, name: str) -> StringRow:
    if not isinstance(element, str):
        return StringRow(name, None, "", "")
    folded = fold(element).replace("\0", "\ufffd")
    return StringRow(name, folded.encode()[:START], folded, key(element))


def _date(element: Json, name: str) -> DateRow:
    interval = stored_interval(element)
    if interval is None:
        return DateRow(name, None, None)
    return DateRow(name, microseconds(interval[0]), microseconds(interval[1]))


def _references(element: Json, parameter: SearchParameter, base: str) -> Iterator[Row]:
    target = reference_target(element, base)
    if target is None or (parameter.targets and target[0] not in parameter.targets):
        target = ("", "")
    yield ReferenceRow(parameter.name, *target)
    if isinstance(element, dict) and "identifier" in element:
        yield from _tokens(element["identifier"], parameter.name + IDENTIFIER)
