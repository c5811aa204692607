"""What of everything that is kept of a patient is asked for (FHIR Patient, $everything)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fhir.operation_outcome import BadRequest
from fhir.search.query import Pairs, Search, interval, parse_pages
from smart.search.values import microseconds

_CARRIED = ("start", "end", "_since", "_type")
_MOST_PARAMETERS = 20


def parse_everything(pairs: Pairs, claims: Mapping[str, Any], below: str) -> Search:
    """Of which time, since when, which page. Raises BadRequest."""
    search = parse_pages(pairs, _CARRIED, claims, below)
    start, end = interval(pairs, "start"), interval(pairs, "end")
    return replace(search, period=(start and microseconds(start[0]), end and microseconds(end[1])))


def posted_parameters(text: str) -> Pairs:
    """Those of a Parameters resource, as they would stand in a URL. Raises BadRequest."""
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("resourceType") != "Parameters":
        raise BadRequest("An operation is posted with a resource Parameters, or with none.")
    parameters = content.get("parameter", [])
    if not isinstance(parameters, list) or len(parameters) > _MOST_PARAMETERS:
        raise BadRequest(f"parameter is a list of at most {_MOST_PARAMETERS}.")
    return [_pair(one) for one in parameters]


def _pair(parameter: Any) -> tuple[str, str]:
    if isinstance(parameter, dict) and len(parameter) == 2 and isinstance(name := parameter.get("name"), str):
        (value,) = (value for key, value in parameter.items() if key != "name")
        if isinstance(value, str | int) and not isinstance(value, bool):
            return name, str(value)
    raise BadRequest("A parameter of this operation has a name and one value.")
