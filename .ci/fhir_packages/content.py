"""One shape for what a package holds, whether it was written in XML or in JSON: every member is a list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

Node = dict[str, list[Any]]  # what stands in a member: nodes, or texts
_F = "{http://hl7.org/fhir}"


@dataclass(frozen=True, slots=True)
class Element:
    """A row of a StructureDefinition."""

    path: str
    minimum: int
    maximum: str
    types: dict[str, set[str]]  # the types that it may have, and what a reference may point at
    same_as: str  # the path of the element whose content this one has
    value_set: str  # of a required binding


@dataclass(frozen=True, slots=True)
class Structure:
    """A resource or a datatype."""

    name: str
    kind: str
    is_abstract: bool
    elements: list[Element]


@dataclass(slots=True)
class Package:
    """What of a version's definitions is used here."""

    structures: dict[str, Structure] = field(default_factory=dict)
    parameters: list[Node] = field(default_factory=list)
    compartment: dict[str, list[str]] = field(default_factory=dict)
    value_sets: dict[str, Node] = field(default_factory=dict)
    code_systems: dict[str, Node] = field(default_factory=dict)

    def add(self, kind: str, node: Node) -> None:
        """Takes a definition in, if it is of a kind that is used."""
        if kind == "StructureDefinition" and not is_constraint(node):
            read = structure(node)
            self.structures.setdefault(read.name, read)
        elif kind == "SearchParameter":
            self.parameters.append(node)
        elif kind == "CompartmentDefinition" and first(node, "code") == "Patient":
            self.compartment = {first(row, "code"): row.get("param", []) for row in node["resource"]}
        elif kind in ("ValueSet", "CodeSystem"):
            {"ValueSet": self.value_sets, "CodeSystem": self.code_systems}[kind][first(node, "url")] = node

    def resource_types(self) -> list[str]:
        """The concrete ones."""
        return sorted(one.name for one in self.structures.values() if one.kind == "resource" and not one.is_abstract)


def from_xml(element: ElementTree.Element) -> Any:
    """A text where the element has a value, else a node."""
    if "value" in element.attrib:
        return element.attrib["value"]
    node: Node = {}
    for child in element:
        node.setdefault(child.tag.removeprefix(_F), []).append(from_xml(child))
    return node


def from_json(value: Any) -> Any:
    """The same of JSON."""
    if not isinstance(value, dict):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return {
        name: [from_json(item) for item in (content if isinstance(content, list) else [content])]
        for name, content in value.items()
    }


def resources_in_xml(text: bytes) -> Iterator[tuple[str, Node]]:
    """Kind and content of each resource of a bundle, or of the one resource."""
    root = ElementTree.fromstring(text)  # noqa: S314  # nosec B314: a published package, while developing
    found = root.findall(f"{_F}entry/{_F}resource/*") if root.tag == f"{_F}Bundle" else [root]
    for element in found:
        yield element.tag.removeprefix(_F), from_xml(element)


def first(node: Node, name: str, default: str = "") -> Any:
    """The first thing in a member."""
    return next(iter(node.get(name, ())), default)


def is_constraint(node: Node) -> bool:
    """Whether it is a profile of a type, whose elements lie below another name than its own."""
    is_profile = first(node, "derivation") == "constraint" or first(node, "kind") == "logical"
    return is_profile or first(node["snapshot"][0]["element"][0], "path") != first(node, "url").rpartition("/")[2]


def structure(node: Node) -> Structure:
    """Raises KeyError for one without a snapshot."""
    rows = node["snapshot"][0]["element"]
    named = {first(row, "name"): first(row, "path") for row in rows if "name" in row}  # DSTU2's way to refer to one
    elements = [_element(row, named) for row in rows]
    name = elements[0].path
    kind = first(node, "kind")
    return Structure(name, kind, first(node, "abstract") == "true", elements)


def _element(row: Node, named: dict[str, str]) -> Element:
    same_as = first(row, "contentReference").rpartition("#")[2] or named.get(first(row, "nameReference"), "")
    return Element(
        path=first(row, "path"),
        minimum=int(first(row, "min", "0")),
        maximum=first(row, "max", "1"),
        types=_types(row),
        same_as=same_as,
        value_set=_required_value_set(row),
    )


def _types(row: Node) -> dict[str, set[str]]:
    types: dict[str, set[str]] = {}
    for one in row.get("type", []):
        code = first(one, "code")  # of the value of a primitive there is an extension, or a type of FHIRPath
        code = code.rpartition("/")[2].removeprefix("System.") if isinstance(code, str) else "String"
        profiles = [*one.get("targetProfile", []), *one.get("profile", [])]
        types.setdefault(code, set()).update(profile.rpartition("/")[2] for profile in profiles)
    return types


def _required_value_set(row: Node) -> str:
    binding = first(row, "binding") or {}
    if not binding or first(binding, "strength") != "required":
        return ""
    reference = first(first(binding, "valueSetReference") or {}, "reference")
    url: str = first(binding, "valueSet") or reference or first(binding, "valueSetUri")
    return url.partition("|")[0]
