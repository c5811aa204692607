"""EHR launch: which context an app may be told, and the URL that opens it (EL-01 to EL-04, LC-01 to LC-09)."""

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from smart.clients.redirect_uris import redirect_uri_problem
from smart.fhir.id import is_fhir_id, split_reference
from smart.http import strict_json
from smart.text import has_unsafe_characters, replace_unsafe_characters

MAX_CONTEXT_BYTES = 4096  # bytes of JSON: the context rides in every token
MAX_ITEMS = 20
MAX_DEPTH = 5
SCOPE = "launch"

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_AT_TOP = ("Patient", "Encounter")
_NAMING = ("reference", "canonical", "identifier")

Context = dict[str, Any]


class InvalidContext(Exception):
    """What is wrong in a launch context, and at which path of it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}" if path else problem)
        self.path = path


def parse_context(given: Mapping[str, Any], *, types: Collection[str]) -> Context:
    """The context as it will be told; a member that is null is left out. Raises InvalidContext."""
    for name in given:
        if name not in _MEMBERS:
            raise InvalidContext(_printable_name(name), "is not known here")
    found = {name: rule(given[name], name) for name, rule in _MEMBERS.items() if given.get(name) is not None}
    for place, item in enumerate(found.get("fhirContext", ())):
        _of_version(item, f"fhirContext[{place}]", types)
    if "encounter" in found and "patient" not in found:
        raise InvalidContext("encounter", "needs the patient that it belongs to")
    if len(json.dumps(found).encode()) > MAX_CONTEXT_BYTES:
        raise InvalidContext("", f"the context is longer than {MAX_CONTEXT_BYTES} bytes")
    return found


def parse_fhir_context(text: str) -> Any:
    """The JSON of a fhirContext that somebody wrote by hand. Raises InvalidContext."""
    try:
        return strict_json.loads(text)
    except ValueError:
        raise InvalidContext("fhirContext", "is not JSON") from None


def smart_2_0_context(context: Context) -> Context:
    """The same for an app of SMART 2.0, to which fhirContext is a list of relative references (TR-10)."""
    plain = [item["reference"] for item in context.get("fhirContext", ()) if "reference" in item and _is_open(item)]
    rest = {name: value for name, value in context.items() if name != "fhirContext"}
    return {**rest, "fhirContext": plain} if plain else rest


def _printable_name(name: object) -> str:
    return replace_unsafe_characters(str(name), "?")[:40]


def parse_text(value: Any, path: str, most: int = 200) -> str:
    """Some words without control characters. Raises InvalidContext."""
    if not isinstance(value, str) or not value:
        raise InvalidContext(path, "must be text")
    if len(value) > most:
        raise InvalidContext(path, f"is longer than {most} characters")
    if has_unsafe_characters(value):
        raise InvalidContext(path, "has a control character")
    return value


def parse_fhir_id(value: Any, path: str) -> str:
    """A bare FHIR id. Raises InvalidContext."""
    if not is_fhir_id(value):
        raise InvalidContext(path, "must be a bare FHIR id, such as p-204")
    return value


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidContext(path, "must be true or false")
    return value


def _address(value: Any, path: str) -> str:
    url = parse_text(value, path, 1000)
    if redirect_uri_problem(url, native=False, dev=True):
        raise InvalidContext(path, "must be an absolute https address")
    return url


def _items(value: Any, path: str) -> list[Context]:
    if not isinstance(value, list):
        raise InvalidContext(path, "must be a list of objects")
    if len(value) > MAX_ITEMS:
        raise InvalidContext(path, f"has more than {MAX_ITEMS} items")
    return [_item(item, f"{path}[{place}]") for place, item in enumerate(value)]


def _item(value: Any, path: str) -> Context:
    if not isinstance(value, dict):
        raise InvalidContext(path, "must be an object, such as {'reference': 'ImagingStudy/77'}")
    for name in value:
        if name not in _ITEM:
            raise InvalidContext(f"{path}.{_printable_name(name)}", "is not known here")
    if not any(name in value for name in _NAMING):
        raise InvalidContext(path, f"needs one of {', '.join(_NAMING)}")
    return {name: _ITEM[name](given, f"{path}.{name}") for name, given in value.items()}


def _reference(value: Any, path: str) -> str:
    if not isinstance(value, str) or split_reference(value) is None:
        raise InvalidContext(path, "must be a relative reference, such as ImagingStudy/77")
    return value


def _absolute(value: Any, path: str) -> str:
    uri = parse_text(value, path, 1000)
    if not _ABSOLUTE.fullmatch(uri):
        raise InvalidContext(path, "must be an absolute URI")
    return uri


def _canonical(value: Any, path: str) -> str:
    """An absolute URI, with a version after | if it has one."""
    canonical = parse_text(value, path, 1000)
    _absolute(canonical.partition("|")[0], path)
    return canonical


def _role(value: Any, path: str) -> str:
    return SCOPE if value == SCOPE else _absolute(value, path)


def _identifier(value: Any, path: str) -> Context:
    if not isinstance(value, dict) or not isinstance(value.get("value", value.get("system")), str):
        raise InvalidContext(path, "must be a FHIR Identifier with a value")
    _speakable(value, path, MAX_DEPTH)
    return value


def _speakable(value: Any, path: str, depth: int) -> None:
    """Whether it can be written as JSON everywhere, and read by everybody."""
    if depth == 0:
        raise InvalidContext(path, "is nested too deeply")
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for part in inside:
        _speakable(part, path, depth - 1)
    if isinstance(value, str) and has_unsafe_characters(value):
        raise InvalidContext(path, "has a control character")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidContext(path, "has a number that JSON cannot write")


def _of_version(item: Context, path: str, types: Collection[str]) -> None:
    """LC-07 and LC-08: of a type that the FHIR version knows, and not what has its place at the top."""
    named = split_reference(item.get("reference", ""))
    kind = named[0] if named else item.get("type", "")
    if kind and kind not in types:
        raise InvalidContext(path, f"names the type {kind}, which this FHIR version does not know")
    if item.get("type", kind) != kind:
        raise InvalidContext(f"{path}.type", "is not the type of the reference")
    if kind in _AT_TOP and _is_open(item):
        raise InvalidContext(
            path, f"is the {kind} of the launch: that is said by {kind.lower()}, or needs another role"
        )


def _is_open(item: Context) -> bool:
    return bool(item.get("role", SCOPE) == SCOPE)


_ITEM: dict[str, Callable[[Any, str], Any]] = {
    "reference": _reference,
    "canonical": _canonical,
    "identifier": _identifier,
    "type": parse_text,
    "role": _role,
}
_MEMBERS: dict[str, Callable[[Any, str], Any]] = {
    "patient": parse_fhir_id,
    "encounter": parse_fhir_id,
    "need_patient_banner": _flag,
    "intent": parse_text,
    "tenant": parse_text,
    "smart_style_url": _address,
    "fhirContext": _items,
}
