"""What is wrong with a resource, in FHIR's words and with the path to it (FHIR validation; SD-13)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from jsonschema_rs import ValidationError

from fhir.validation.narrative import narrative_problem
from fhir.validation.schemas import validator
from smart.fhir.elements import Json
from smart.fhir.versions import resource_types
from smart.text import ascii_excerpt

MAX_PROBLEMS = 20
MAX_DEPTH = 64
MAX_VALUES = 50_000
Step = str | int
Steps = tuple[Step, ...]


class Problem(NamedTuple):
    """`path` is FHIRPath, `code` an issue type of OperationOutcome."""

    path: str
    code: str
    text: str


def problems(fhir_version: str, resource: Json) -> list[Problem]:
    """The first of them, none for a resource that may be stored. Nothing of what was sent is in them but names."""
    if (bound := _bound_problem(resource)) is not None:
        return [bound]
    return list(islice(_problems(fhir_version, resource, ()), MAX_PROBLEMS))


def _bound_problem(resource: Json) -> Problem | None:
    count, waiting = 0, [(resource, 1)]
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            return Problem("", "too-long", f"It is nested more than {MAX_DEPTH} deep.")
        if count > MAX_VALUES:
            return Problem("", "too-long", f"It has more than {MAX_VALUES} values.")
        if any(map(_holds_half_a_character, (value, *value) if isinstance(value, dict) else (value,))):
            return Problem("", "invalid", "It holds half a character (a lone surrogate).")
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(one, depth + 1) for one in inside]
    return None


def _holds_half_a_character(text: Json) -> bool:
    try:
        _ = text.encode() if isinstance(text, str) else b""
    except UnicodeEncodeError:
        return True
    return False


def _problems(fhir_version: str, resource: Json, steps: Steps) -> Iterator[Problem]:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(name, str) or name not in resource_types(fhir_version):
        yield Problem(_path(steps), "structure", "It is no resource of this FHIR version: see resourceType.")
        return
    for error in validator(fhir_version, name).iter_errors(resource):
        yield from _worded(error, (*(steps or (name,)), *error.instance_path))
    yield from _inside(fhir_version, resource, steps or (name,))


def _inside(fhir_version: str, value: Json, steps: Steps) -> Iterator[Problem]:
    """What is wrong with the narratives and the resources in it."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        here = (*steps, step)
        if step == "div" and isinstance(inner, str):
            if reason := narrative_problem(inner):
                yield Problem(_path(here), "invalid", reason)
        elif isinstance(inner, dict) and "resourceType" in inner:
            yield from _problems(fhir_version, inner, here)
        else:
            yield from _inside(fhir_version, inner, here)


def _path(steps: Iterable[Step]) -> str:
    """`Observation.component[0].code`: FHIRPath as an OperationOutcome's expression has it."""
    found = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return ascii_excerpt(found.removeprefix("."), 200)


def _worded(error: ValidationError, steps: Steps) -> Iterator[Problem]:
    """One problem, and one for each member that does not belong there."""
    match error.kind.name:
        case "additionalProperties":
            for name in error.kind.as_dict()["unexpected"]:
                yield Problem(_path((*steps, name)), "structure", "There is no such element.")
        case "required":
            missing = str(error.kind.as_dict()["property"])
            yield Problem(_path((*steps, missing)), "required", "It must be there.")
        case "enum":
            yield Problem(_path(steps), "code-invalid", _codes_text(error.kind.as_dict()["options"]))
        case "oneOf":
            yield Problem(_path(steps), "structure", "More than one type of the same element is there.")
        case "anyOf":
            yield _unmet(error, steps)
        case _:
            yield Problem(_path(steps), "value", f"It is no {_expected(error)}.")


def _unmet(error: ValidationError, steps: Steps) -> Problem:
    """None of several things holds: members that must be there, codes that must be among others, items of a list."""
    inner = [one for group in error.kind.as_dict()["context"] for one in group]
    names = sorted({str(one.kind.as_dict()["property"]) for one in inner if one.kind.name == "required"})
    _, is_bound, value_set = _expected(error).partition(":")
    if is_bound:
        return Problem(_path(steps), "code-invalid", f"It has no code of the value set {value_set}.")
    if names and len(names) == len(inner):
        shown = [name for name in names if not name.startswith("_")]
        return Problem(_path((*steps, shown[0]) if len(shown) == 1 else steps), "required", _one_of(shown))
    return Problem(_path(steps), "value", "It has a value of another type, or a code that is not allowed.")


def _one_of(names: list[str]) -> str:
    return "It must be there." if len(names) == 1 else f"One of {', '.join(names)} must be there."


def _codes_text(options: list[str]) -> str:
    shown = ", ".join(map(str, options[:12]))
    return f"It is none of the codes {shown}{' and more' if len(options) > 12 else ''}."


def _expected(error: ValidationError) -> str:
    """The definition that it breaks: `dateTime`, `CodeableConcept`; of codes with their value set."""
    path = [str(step) for step in error.schema_path]
    return path[1] if path[:1] == ["definitions"] else "element of that type"
