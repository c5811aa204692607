"""How much of each resource is shown: cut only after it was judged whole (FHIR search, summary; SR-17)."""

from dataclasses import dataclass

from fhir.operation_outcome import BadRequest
from fhir.versions.version import load_version
from smart.fhir import json_text

_SUMMARIES = ("true", "text", "data", "count", "false")
_ALWAYS = ("resourceType", "id", "meta")


@dataclass(frozen=True, slots=True)
class Shape:
    """Which members are shown, all of them where none is named; with `only_total` no resource at all."""

    only: frozenset[str] = frozenset()
    without: str = ""
    only_total: bool = False

    def cut(self, text: str, fhir_version: str) -> str:
        """What of a resource is shown, marked as a part where something may be missing."""
        if not (self.only or self.without):
            return text
        parts = json_text.members(text)
        shown = {name: value for name, value in parts.items() if self._shows(name)}
        meta = json_text.loads(shown.get("meta", "{}"))
        meta["tag"] = [*meta.get("tag", []), load_version(fhir_version).subsetted]
        return json_text.with_members(json_text.joined(shown), {"meta": meta})

    def _shows(self, name: str) -> bool:
        return name in _ALWAYS or (name in self.only if self.only else name != self.without)


def parse_shape(pairs: list[tuple[str, str]], *, strict: bool) -> Shape:
    """What `_elements` and `_summary` ask for; a server may answer with more than a summary. Raises BadRequest."""
    elements = [name for key, value in pairs if key == "_elements" for name in value.split(",") if name]
    summary = [value for key, value in pairs if key == "_summary"]
    if len(summary) > 1 or not set(summary) <= set(_SUMMARIES):
        raise BadRequest(f"_summary takes one of {', '.join(_SUMMARIES)}.")
    if strict and summary == ["true"]:
        raise BadRequest("_summary=true is not supported.")
    match "".join(summary):
        case "count":
            return Shape(only_total=True)
        case "text":
            return Shape(only=frozenset({"text"}))
        case "data":
            return Shape(frozenset(elements), without="text")
        case _:
            return Shape(frozenset(elements))
