"""A small FHIR server's records and searches, open to everybody: what stands behind the recipes in place of yours.

It tells whatever it is asked: it follows chains and _has, includes, counts, pages, and shows versions.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

Resource = dict[str, Any]
Pairs = list[tuple[str, str]]

BASE = os.environ["FHIR_BASE"]
NOT_FOUND = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
PAGE = 20
REFERENCES = {
    "patient": "subject", "subject": "subject", "performer": "performer", "encounter": "encounter",
    "general-practitioner": "generalPractitioner",
}  # fmt: skip
VERSIONS: dict[tuple[str, str], list[Resource]] = {}
for read in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")):
    versions = VERSIONS.setdefault((read["resourceType"], read["id"]), [])
    versions.append({**read, "meta": {"versionId": str(len(versions) + 1)}})


def answer(method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, Resource]:
    """Status and body for a path below the base."""
    form = body.decode() if method == "POST" else ""
    pairs = [pair for text in (query, form) for pair in parse_qsl(text, keep_blank_values=True)]
    match path.strip("/").split("/"):
        case ["metadata"]:
            return 200, {"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"}
        case [kind] | [kind, "_search"]:
            return 200, search(kind, pairs)
        case [kind, key] if (kind, key) in VERSIONS:
            return 200, VERSIONS[kind, key][-1]
        case [kind, key, "_history"] if (kind, key) in VERSIONS:
            entries = [{"resource": each} for each in reversed(VERSIONS[kind, key])]
            return 200, {"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries}
        case [kind, key, "_history", version]:
            found = [each for each in VERSIONS.get((kind, key), []) if each["meta"]["versionId"] == version]
            return (200, found[0]) if found else (404, NOT_FOUND)
        case ["Patient", patient, kind]:
            return 200, search(kind, [*pairs, ("patient", patient)])
    return 404, NOT_FOUND


def search(kind: str, pairs: Pairs) -> Resource:
    """A searchset: every parameter must be met, and one that is not known is."""
    asked = dict(pairs)
    found = [each for each in current(kind) if all(meets(each, *pair) for pair in pairs)]
    start, size = number(asked.get("_offset", ""), 0), number(asked.get("_count", ""), PAGE)
    page = found[start : start + size] if asked.get("_summary") != "count" else []
    entries = [{"resource": each, "search": {"mode": "match"}} for each in page]
    entries += [{"resource": each, "search": {"mode": "include"}} for each in included(page, pairs)]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if page and start + size < len(found):
        query = urlencode([*(pair for pair in pairs if pair[0] != "_offset"), ("_offset", str(start + size))])
        bundle["link"] = [{"relation": "next", "url": f"{BASE}/{kind}?{query}"}]
    return {**bundle, "entry": entries} if entries else bundle


def number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() else otherwise


def current(kind: str) -> list[Resource]:
    """The last version of each resource of that type."""
    return [versions[-1] for (name, _), versions in VERSIONS.items() if name == kind]


def meets(resource: Resource, name: str, values: str) -> bool:
    """Whether it meets a parameter with one of its values."""
    return any(meets_one(resource, name, value) for value in values.split(","))


def meets_one(resource: Resource, name: str, value: str) -> bool:
    plain, _, rest = name.partition(":")
    if plain == "_has":
        kind, reference, parameter = rest.split(":", 2)
        return any(resource in targets(each, reference) and meets(each, parameter, value) for each in current(kind))
    reference, _, chained = name.partition(".")
    reference, _, kind = reference.partition(":")
    if chained:
        return any(meets(target, chained, value) for target in targets(resource, reference))
    if plain in REFERENCES:
        wanted = f"{kind}/{value}" if kind else value
        return any(f"/{each}".endswith(f"/{wanted}") for each in references(resource, plain))
    match plain:
        case "_id":
            return bool(resource["id"] == value)
        case "name":
            return value.lower() in json.dumps(resource.get("name", "")).lower()
        case "code" | "category" | "type":
            return f'"code": "{value.rpartition("|")[2]}"' in json.dumps(resource.get(plain, ""))
    return True


def references(resource: Resource, parameter: str) -> list[str]:
    """What it refers to by that parameter."""
    found = resource.get(REFERENCES.get(parameter, parameter), [])
    return [each["reference"] for each in (found if isinstance(found, list) else [found])]


def targets(resource: Resource, parameter: str) -> list[Resource]:
    """The resources that it refers to by that parameter."""
    keys = [(kind, key) for kind, _, key in (each.partition("/") for each in references(resource, parameter))]
    return [VERSIONS[key][-1] for key in keys if key in VERSIONS]


def included(page: list[Resource], pairs: Pairs) -> list[Resource]:
    """What _include and _revinclude add to a page."""
    found: list[Resource] = []
    for name, value in pairs:
        kind, _, parameter = value.partition(":")
        if name == "_include":
            found += [target for each in page for target in targets(each, parameter.partition(":")[0])]
        elif name == "_revinclude":
            found += [each for each in current(kind) if any(target in page for target in targets(each, parameter))]
    return [each for place, each in enumerate(found) if each not in found[:place]]
