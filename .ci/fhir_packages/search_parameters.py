"""Search parameters and the patient compartment of a version, as smart/fhir/definitions.py reads them.

What cannot be evaluated here (an extension, a filter, a type of parameter that no scope uses) is left out: a scope
that names it allows nothing (GR-15). Of such references, canonical ones above all, what they may refer to is kept, by
which an include is judged; it is empty where that is of any type, or nowhere said.
"""

import re
from collections.abc import Iterator
from typing import Any

from fhir_packages.content import Node, Package, first

TYPES = {
    "token": ("CodeableConcept", "Coding", "code", "boolean", "Identifier", "id", "string", "uri"),
    "date": ("date", "dateTime", "instant", "Period"),
    "reference": ("Reference",),
    "string": ("string", "markdown", "HumanName", "Address"),
}
PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}
COMMON = {
    "_id": {"type": "token", "paths": ["id"]},
    "_lastUpdated": {"type": "date", "paths": ["meta.lastUpdated"]},
    "_security": {"type": "token", "paths": ["meta.security"]},
    "_tag": {"type": "token", "paths": ["meta.tag"]},
}
_PLAIN = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*)+(?:\[x\])?")
_OF_TYPE = re.compile(r"\(?([A-Z]\w*(?:\.[a-z]\w*)+?)(?: as |\.as\(|\.ofType\()(\w+)\)?")
_RESOLVED = re.compile(r"([A-Z]\w*(?:\.[a-z]\w*)+)\.where\(resolve\(\) is (\w+)\)")
Elements = dict[str, dict[str, dict[str, set[str]]]]


class Unsupported(ValueError):
    """An expression that is more than a path."""


def definitions(package: Package) -> dict[str, Any]:
    """Each resource type with its search parameters, and those that say whose a record is."""
    elements = {
        name: {element.path: element.types for element in one.elements} for name, one in package.structures.items()
    }
    types: dict[str, Any] = {name: {"compartment": {}, "search": dict(COMMON)} for name in package.resource_types()}
    types.pop("Parameters")  # which is never stored
    for parameter in filter(_is_evaluable, package.parameters):
        for name in set(parameter["base"]) & types.keys():
            if found := _definition(parameter, name, elements, set(types)):
                types[name]["search"][first(parameter, "code")] = found
            elif first(parameter, "type") == "reference":
                types[name].setdefault("references", {})[first(parameter, "code")] = _targets(parameter, set(types))
    for name, row in types.items():
        if references := {code: row["references"][code] for code in sorted(row.get("references", {}))}:
            row["references"] = references
        known = sorted(set(package.compartment.get(name, ())) & row["search"].keys())
        row["compartment"] = {"itself": True} if name == "Patient" else {"parameters": known} if known else {}
        row["search"] = dict(sorted(row["search"].items()))
    return types


def _targets(parameter: Node, every: set[str]) -> list[str]:
    named = set(parameter.get("target", []))
    return [] if named >= every or named & {"Resource", "Any"} else sorted(named)


def _is_evaluable(one: Node) -> bool:
    return first(one, "experimental") != "true" and first(one, "type") in TYPES


def _definition(parameter: Node, name: str, elements: Elements, every: set[str]) -> dict[str, Any] | None:
    """The parameter of one type: its paths and what they may refer to; None where it cannot be evaluated whole."""
    paths: list[str] = []
    targets: set[str] = set()
    kind = first(parameter, "type")
    expressions = [part.strip() for part in first(parameter, "expression").split("|")]
    try:
        for expression in [part for part in expressions if part.lstrip("(").startswith(f"{name}.")]:
            found, target = _parse(expression, kind, elements)
            paths += found
            targets |= target
    except Unsupported:
        return None
    if not paths:
        return None
    row: dict[str, Any] = {"type": kind, "paths": sorted(set(paths))}
    if kind == "reference":
        named = targets or set(parameter.get("target", [])) or _element_targets(row["paths"], name, elements)
        row["targets"] = sorted(every if named & {"Resource", "Any"} else named)
    return row


def _element_targets(paths: list[str], name: str, elements: Elements) -> set[str]:
    """What the elements themselves may refer to."""
    found: set[str] = set()
    for path in paths:
        for choice in (f"{name}.{path}", f"{name}.{path.removesuffix('Reference')}[x]"):
            found |= elements[name].get(choice, {}).get("Reference", set())
    return found


def _parse(expression: str, kind: str, elements: Elements) -> tuple[list[str], set[str]]:
    """Paths in the JSON of a resource, and the types that the expression allows a reference to point at."""
    if match := _RESOLVED.fullmatch(expression):
        return list(_json_paths(match[1], kind, elements, "")), {match[2]}
    if match := _OF_TYPE.fullmatch(expression):
        return list(_json_paths(match[1], kind, elements, match[2])), set()
    if _PLAIN.fullmatch(expression):
        return list(_json_paths(expression.removesuffix("[x]"), kind, elements, "")), set()
    raise Unsupported(expression)


def _json_paths(path: str, kind: str, elements: Elements, of_type: str) -> Iterator[str]:
    """The path with each choice of type written as JSON writes it, and strings taken to their parts."""
    resource, *steps = path.split(".")
    written, current, codes = [], resource, [resource]
    for step in steps:
        current, codes, choice = _element(step, [(current, resource), *((code, code) for code in codes)], elements)
        if choice and step is not steps[-1]:
            raise Unsupported(path)
        written.append(step)
        if choice:
            for code in _chosen(codes, kind, of_type):
                yield from _parts(".".join([*written[:-1], f"{step}{code[:1].upper()}{code[1:]}"]), [code], kind)
            return
        resource = resource if f"{current}" in elements.get(resource, {}) else codes[0]
    yield from _parts(".".join(written), codes, kind)


def _chosen(codes: list[str], kind: str, of_type: str) -> list[str]:
    """Those of the types that are meant; older versions write DateTime for dateTime."""
    if of_type:
        return [code for code in codes if code.lower() == of_type.lower()] or [of_type]
    if kind == "token" and any(code not in TYPES[kind] for code in codes):
        raise Unsupported("whether it is there, not what it is, would be compared")
    return [code for code in codes if code in TYPES[kind]]


def _element(step: str, owners: list[tuple[str, str]], elements: Elements) -> tuple[str, list[str], str]:
    """Its path, its types, and "[x]" where one of them is chosen: of the first owner, a path in a type, that has it."""
    for owner, head in owners:
        for choice in ("", "[x]"):
            if head in elements and f"{owner}.{step}{choice}" in elements[head]:
                return f"{owner}.{step}", list(elements[head][f"{owner}.{step}{choice}"]), choice
        for path, types in elements.get(head, {}).items():  # DSTU2 names the choice as JSON does
            for code in types if path.endswith("[x]") else ():
                if f"{owner}.{step}" == f"{path.removesuffix('[x]')}{code[:1].upper()}{code[1:]}":
                    return f"{owner}.{step}", [code], ""
    raise Unsupported(step)


def _parts(path: str, codes: list[str], kind: str) -> Iterator[str]:
    """Raises Unsupported for an element of a type that this kind of parameter is not compared with here."""
    known = [code for code in codes if code in TYPES[kind] or code == "String"]
    if not known:
        raise Unsupported(path)
    for code in known:
        yield from (f"{path}.{part}" for part in PARTS[code]) if code in PARTS else (path,)
