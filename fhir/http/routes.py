"""FHIR's paths as Django writes them, so that a log line names the path and not the record (SD-23)."""

from collections.abc import Iterator, Mapping

from django.urls import register_converter
from django.urls.converters import StringConverter

from smart.decisions.interactions import COMPARTMENT, ID, MEMBER, PATHS, TYPE, VERSION_ID

ELSEWHERE = "[path]"  # whatever FHIR does not have
_CONVERTERS = {
    TYPE: "<str:type>",
    ID: "<str:id>",
    VERSION_ID: "<str:vid>",
    COMPARTMENT: "<str:compartment>",
    MEMBER: "<str:member>",
    ELSEWHERE: "<anything:path>",
}


class Anything(StringConverter):
    """Line feeds too, which Django's own converter for paths leaves to a page of somebody else's."""

    regex = "(?s:.+)"


register_converter(Anything, "anything")


def every_path() -> Iterator[tuple[str, ...]]:
    """The paths that FHIR has, and last whatever else is asked."""
    yield from PATHS
    yield (ELSEWHERE,)
    yield ()


def route(path: tuple[str, ...]) -> str:
    """The path as a route of Django."""
    return "/".join(_CONVERTERS.get(part, part) for part in path)


def segments(path: tuple[str, ...], captured: Mapping[str, str]) -> list[str]:
    """The segments of a request at that path."""
    return "/".join(captured.get(part.strip("[]"), part) for part in path).split("/")
