"""Writes smart/fhir/definitions/{version}.json from the package in which HL7 publishes a FHIR version (CC0).

    .ci/definitions.py r4 hl7.fhir.r4.core.tgz

What cannot be evaluated here (an extension, a filter, a type of parameter that no scope uses) is left out: a scope
that names it allows nothing (GR-15).
"""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent / "smart" / "fhir" / "definitions"
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
_PLAIN = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*)+")
_OF_TYPE = re.compile(r"\(?([A-Z]\w*(?:\.[a-z]\w*)+?)(?: as |\.as\(|\.ofType\()(\w+)\)?")
_RESOLVED = re.compile(r"([A-Z]\w*(?:\.[a-z]\w*)+)\.where\(resolve\(\) is (\w+)\)")


class Unsupported(ValueError):
    """An expression that is more than a path."""


def main(version: str, package: str) -> None:
    """Reads the package and writes the file."""
    content = read_package(package)
    compartment = next(one for one in content if one.get("url", "").endswith("CompartmentDefinition/patient"))
    members = {row["code"]: row.get("param", []) for row in compartment["resource"]}
    elements = elements_by_type(content)
    types: dict[str, Any] = {name: {"compartment": {}, "search": dict(COMMON)} for name in sorted(members)}
    for parameter in filter(is_evaluable, content):
        for name in set(parameter.get("base", ())) & types.keys():
            if found := definition(parameter, name, elements):
                types[name]["search"][parameter["code"]] = found
    for name, row in types.items():
        known = sorted(set(members[name]) & row["search"].keys())
        row["compartment"] = {"itself": True} if name == "Patient" else {"parameters": known} if known else {}
        row["search"] = dict(sorted(row["search"].items()))
    lines = [f"  {json.dumps(name)}: {json.dumps(row, separators=(', ', ': '))}" for name, row in types.items()]
    (HOME / f"{version}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def read_package(path: str) -> list[dict[str, Any]]:
    """The definitions in it: of resources and datatypes, of search parameters, of compartments."""
    wanted = ("StructureDefinition-", "SearchParameter-", "CompartmentDefinition-patient")
    found = []
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if name.startswith(wanted) and (file := archive.extractfile(member)):
                found.append(json.load(file))
    return [one for one in found if one.get("kind") != "logical"]


def elements_by_type(content: list[dict[str, Any]]) -> dict[str, Any]:
    """The elements of each resource and datatype by their path, with the types that each may have."""
    return {
        one["type"]: {
            part["path"]: [kind["code"] for kind in part.get("type", [])] for part in one["snapshot"]["element"]
        }
        for one in content
        if one["resourceType"] == "StructureDefinition" and one.get("derivation") != "constraint"
    }


def is_evaluable(one: dict[str, Any]) -> bool:
    """Whether it is a search parameter of a type that is compared here."""
    return one["resourceType"] == "SearchParameter" and not one.get("experimental") and one["type"] in TYPES


def definition(parameter: dict[str, Any], name: str, elements: dict[str, Any]) -> dict[str, Any] | None:
    """The parameter of one type: its paths and what they may refer to; None where it cannot be evaluated whole."""
    paths: list[str] = []
    targets: set[str] = set()
    expressions = [part.strip() for part in re.split(r"\|", parameter.get("expression", ""))]
    mine = [part for part in expressions if part.lstrip("(").startswith(f"{name}.")]
    try:
        for expression in mine:
            found, target = parse(expression, parameter["type"], elements)
            paths += found
            targets |= {target} if target else set()
    except Unsupported:
        return None
    if not paths:
        return None
    row: dict[str, Any] = {"type": parameter["type"], "paths": sorted(set(paths))}
    if parameter["type"] == "reference":
        row["targets"] = sorted(targets or set(parameter.get("target", [])))
    return row


def parse(expression: str, kind: str, elements: dict[str, Any]) -> tuple[list[str], str]:
    """Paths in the JSON of a resource, and the one type that the expression allows a reference to point at."""
    if match := _RESOLVED.fullmatch(expression):
        return list(json_paths(match[1], kind, elements, "")), match[2]
    if match := _OF_TYPE.fullmatch(expression):
        return list(json_paths(match[1], kind, elements, match[2])), ""
    if _PLAIN.fullmatch(expression):
        return list(json_paths(expression, kind, elements, "")), ""
    raise Unsupported(expression)


def json_paths(path: str, kind: str, elements: dict[str, Any], of_type: str) -> Iterator[str]:
    """The path with each choice of type written as JSON writes it, and strings taken to their parts."""
    resource, *steps = path.split(".")
    written, current, codes = [], resource, [resource]
    for step in steps:
        current, codes, choice = element(step, [(current, resource), *((code, code) for code in codes)], elements)
        if choice and step is not steps[-1]:
            raise Unsupported(path)
        written.append(step)
        if choice:
            wanted = [of_type] if of_type else [code for code in codes if code in TYPES[kind]]
            for code in wanted:
                yield from parts(".".join([*written[:-1], f"{step}{code[:1].upper()}{code[1:]}"]), [code], kind)
            return
        resource = resource if f"{current}" in elements.get(resource, {}) else codes[0]
    yield from parts(".".join(written), codes, kind)


def element(step: str, owners: list[tuple[str, str]], elements: dict[str, Any]) -> tuple[str, list[str], str]:
    """Its path, its types, and "[x]" where one of them is chosen: of the first owner, a path in a type, that has it."""
    for owner, head in owners:
        for choice in ("", "[x]"):
            if head in elements and f"{owner}.{step}{choice}" in elements[head]:
                return f"{owner}.{step}", elements[head][f"{owner}.{step}{choice}"], choice
    raise Unsupported(step)


def parts(path: str, codes: list[str], kind: str) -> Iterator[str]:
    """Raises Unsupported for an element of a type that this kind of parameter is not compared with here."""
    known = [code for code in codes if code in TYPES[kind] or code.startswith("http://hl7.org/fhirpath/")]
    if not known:
        raise Unsupported(path)
    for code in known:
        yield from (f"{path}.{part}" for part in PARTS[code]) if code in PARTS else (path,)


if __name__ == "__main__":
    main(*sys.argv[1:])
