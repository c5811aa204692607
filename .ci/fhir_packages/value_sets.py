"""The codes of a value set, where they can be listed."""

from collections.abc import Iterator

from fhir_packages.content import Node, Package, first

MOST_CODES = 1000  # a set of more is no set of codes that FHIR itself needs
Codes = dict[str, list[str]]  # by code system


class Endless(ValueError):
    """A value set whose codes stand elsewhere: languages, units, media types."""


def codes(package: Package, url: str) -> Codes:
    """By system; nothing where the codes cannot be listed."""
    try:
        found: Codes = {}
        for system, code in _codes(package, url):
            if code not in found.setdefault(system, []):
                found[system].append(code)
    except Endless:
        return {}
    return found if 0 < sum(map(len, found.values())) <= MOST_CODES else {}


def _codes(package: Package, url: str) -> Iterator[tuple[str, str]]:
    node = package.value_sets.get(url.partition("|")[0])
    if node is None:
        raise Endless(url)
    own = first(node, "codeSystem")  # DSTU2: a value set may define its codes itself
    if own:
        yield from ((first(own, "system"), code) for code in _flat(own["concept"]))
    compose = first(node, "compose") or {}
    if "exclude" in compose or not (own or compose):
        raise Endless(url)
    for imported in compose.get("import", []):
        yield from _codes(package, imported)
    for include in compose.get("include", []):
        yield from _included(package, include)


def _included(package: Package, include: Node) -> Iterator[tuple[str, str]]:
    if "filter" in include:
        raise Endless("a filter")
    system = first(include, "system")
    for other in include.get("valueSet", []):
        yield from _codes(package, other)
    if "concept" in include:
        yield from ((system, first(concept, "code")) for concept in include["concept"])
    elif system:
        yield from ((system, code) for code in _all_codes(package, system))


def _all_codes(package: Package, system: str) -> Iterator[str]:
    if (found := package.code_systems.get(system)) is not None:
        if first(found, "content", "complete") != "complete" or "concept" not in found:
            raise Endless(system)
        return _flat(found["concept"])
    for node in package.value_sets.values():
        own = first(node, "codeSystem")
        if own and first(own, "system") == system:
            return _flat(own["concept"])
    raise Endless(system)


def _flat(concepts: list[Node]) -> Iterator[str]:
    for concept in concepts:
        if first(concept, "abstract") != "true":
            yield first(concept, "code")
        yield from _flat(concept.get("concept", []))
