"""Does an element match a value, for each type of search parameter (FHIR search, parameter types)."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from smart.fhir.definitions import ResourceDefinition, SearchParameter
from smart.fhir.elements import Json, elements_at, reference_target
from smart.search import dates


class UnsupportedCriterion(ValueError):
    """A parameter, modifier or value that cannot be evaluated here."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One search parameter as it was sent: any of the values will do."""

    parameter: SearchParameter
    modifier: str
    values: tuple[str, ...]
    base: str

    def __post_init__(self) -> None:
        if not self._is_understood():
            raise UnsupportedCriterion(f"that modifier on {self.parameter.name}")
        if self.modifier == "missing" and self.values not in (("true",), ("false",)):
            raise UnsupportedCriterion(f"{self.parameter.name}:missing takes true or false")
        if self.parameter.type == "date" and self.modifier != "missing":
            _check_dates(self.parameter.name, self.values)

    def matches(self, content: Json) -> bool:
        """Whether the resource is among those searched for."""
        found = [element for path in self.parameter.paths for element in elements_at(content, path)]
        if self.modifier == "missing":
            return (not found) is (self.values == ("true",))
        hit = any(self._fits(element, value) for element in found for value in self.values)
        return hit is not (self.modifier == "not")

    def _is_understood(self) -> bool:
        if self.modifier in ("", "missing", *_MODIFIERS[self.parameter.type]):
            return True
        return self.parameter.type == "reference" and self.modifier[:1].isupper() and self.modifier.isalpha()

    def _fits(self, element: Json, value: str) -> bool:
        if self.parameter.type == "reference":
            return self._refers(element, value)
        return _FITS[self.parameter.type](element, value, self.modifier)

    def _refers(self, element: Json, value: str) -> bool:
        if self.modifier == "identifier":
            return isinstance(element, dict) and _token(element.get("identifier"), value, "")
        target = reference_target(element, self.base)
        if target is None or (self.parameter.targets and target[0] not in self.parameter.targets):
            return False
        if self.modifier and target[0] != self.modifier:
            return False
        return value == target[1] or reference_target(value, self.base) == target


def scope_criteria(
    query: Sequence[tuple[str, tuple[str, ...]]], resource_type: ResourceDefinition, base: str
) -> tuple[Criterion, ...]:
    """The restriction of a granular scope. Raises UnsupportedCriterion for what cannot be evaluated (GR-15, SCP-11)."""
    if any(":" in name for name, _ in query):
        raise UnsupportedCriterion("a modifier in a scope")
    return tuple(criterion(resource_type, name, values, base) for name, values in query)


def is_match(content: Json, criteria: Iterable[Criterion]) -> bool:
    """Whether the resource meets all of them."""
    return all(criterion.matches(content) for criterion in criteria)


def criterion(resource_type: ResourceDefinition, name: str, values: Sequence[str], base: str) -> Criterion:
    """The criterion of a parameter with its modifier. Raises UnsupportedCriterion."""
    parameter = resource_type.parameters.get(parameter_name(name))
    if parameter is None:
        raise UnsupportedCriterion("an unknown parameter")
    return Criterion(parameter, name.partition(":")[2], tuple(values), base)


def parameter_name(name: str) -> str:
    """The name without its modifier."""
    return name.partition(":")[0]


def _check_dates(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        try:
            dates.search_date(value)
        except ValueError as error:
            raise UnsupportedCriterion(f"{name} takes a date") from error


def _token(element: Json, value: str, modifier: str) -> bool:
    """`code`, `|code`, `system|` and `system|code`, over every shape in which FHIR writes a code."""
    if isinstance(element, dict) and "coding" in element:
        return any(_is_code(coding, value) for coding in elements_at(element, ("coding",)))
    return _is_code(element, value)


def _is_code(element: Json, value: str) -> bool:
    system, code = system_and_code(element)
    wanted_system, bar, wanted_code = value.rpartition("|")
    if bar and wanted_system != system:
        return False
    return wanted_code == code or (not wanted_code and bool(wanted_system))


def system_and_code(element: Json) -> tuple[Json, Json]:
    """Of a Coding, an Identifier, a code or a boolean."""
    if isinstance(element, dict):
        return element.get("system") or "", element.get("code", element.get("value"))
    return "", str(element).lower() if isinstance(element, bool) else element


def _string(element: Json, value: str, modifier: str) -> bool:
    if not isinstance(element, str):
        return False
    if modifier == "exact":
        return element == value
    wanted = fold(value)
    if not wanted:
        return False
    return wanted in fold(element) if modifier == "contains" else fold(element).startswith(wanted)


def fold(text: str) -> str:
    """Without accents and case."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def _date(element: Json, value: str, modifier: str) -> bool:
    stored = stored_interval(element)
    return stored is not None and dates.is_match(dates.search_date(value)[0], stored, dates.search_date(value)[1])


def stored_interval(element: Json) -> dates.Interval | None:
    """The interval of a date, or of a Period that may be open on either side."""
    try:
        if isinstance(element, str):
            return dates.date_interval(element)
        start, end = element.get("start"), element.get("end")
        return (
            dates.date_interval(start)[0] if start else dates.BEGINNING,
            dates.date_interval(end)[1] if end else dates.END,
        )
    except (ValueError, TypeError, AttributeError):
        return None


_MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "string": ("exact", "contains"),
    "token": ("not",),
    "date": (),
    "reference": ("identifier",),
}
_FITS: Mapping[str, Callable[[Json, str, str], bool]] = {"string": _string, "token": _token, "date": _date}
