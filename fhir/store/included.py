"""What comes along with the matches of a search, each record within the view of its own type (SR-04 to SR-07)."""

from collections.abc import Iterator, Mapping, Sequence

from fhir.models import Record, ReferenceValue
from fhir.operation_outcome import TooCostly
from fhir.search.links import Include
from fhir.store.visibility import Records, visible
from fhir.versions.version import Version
from smart.decisions.view import View

MAX_ROUNDS = 3
MAX_INCLUDED = 500


def find_included(
    version: Version, matches: Sequence[Record], includes: Sequence[Include], views: Mapping[str, View]
) -> list[Record]:
    """The records that come along, each once, in a bounded number of statements. Raises TooCostly."""
    known = {record.pk for record in matches}
    found: list[Record] = []
    fresh: Sequence[Record] = matches
    for round_ in range(MAX_ROUNDS if any(include.iterates for include in includes) else 1):
        asked = [include for include in includes if include.iterates or not round_]
        brought = {record.pk: record for include in asked for record in _brought(version, fresh, include, views)}
        fresh = [record for pk, record in brought.items() if pk not in known]
        known.update(brought)
        found.extend(fresh)
        if len(found) > MAX_INCLUDED:
            raise TooCostly
        if not fresh:
            break
    return found


def _brought(
    version: Version, fresh: Sequence[Record], include: Include, views: Mapping[str, View]
) -> Iterator[Record]:
    for name, records in _linked(version, fresh, include):
        yield from visible(records, version, name, views.get(name, ()))[: MAX_INCLUDED + 1]


def _linked(version: Version, fresh: Sequence[Record], include: Include) -> Iterator[tuple[str, Records]]:
    """The current records at the other end, by their type."""
    links = ReferenceValue.objects.filter(parameter=f"{version.key}/{include.source}/{include.parameter}")
    current = Record.objects.filter(fhir_version=version.key, is_current=True, is_deleted=False).order_by("pk")
    if include.is_reverse:
        for name, ids in _by_type((record.type, record.resource_id) for record in fresh).items():
            if include.target in ("", name):
                referring = links.filter(type=name, target__in=ids).values("record")
                yield include.source, current.filter(type=include.source, pk__in=referring)
        return
    sources = [record.pk for record in fresh if record.type == include.source]
    targets = links.filter(record__in=sources).values_list("type", "target").distinct() if sources else ()
    for name, ids in _by_type(iter(targets)).items():
        if name and include.target in ("", name):
            yield name, current.filter(type=name, resource_id__in=ids)


def _by_type(pairs: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, resource_id in pairs:
        found.setdefault(name, []).append(resource_id)
    return found
