"""JSON Schemas of a version's resources and datatypes, from its StructureDefinitions and value sets.

A definition for each type and for each element with elements of its own. What JSON Schema does not say well (which
resource is contained) is judged in fhir/validation.
"""

from collections.abc import Iterator
from typing import Any

from fhir_packages.content import Element, Package, Structure
from fhir_packages.value_sets import codes

Schema = dict[str, Any]
_DATE = "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([.][0-9]+)?"
_ZONE = "(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_TEXT: Schema = {"type": "string", "pattern": "[^ \\t\\r\\n]", "maxLength": 1048576}
_URI: Schema = {"type": "string", "pattern": "^[^ \\t\\r\\n]+$"}


def _pattern(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


PRIMITIVES: dict[str, Schema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "integer64": _pattern("(0|-?[1-9][0-9]{0,18})"),
    "decimal": {"type": "number"},
    "string": _TEXT,
    "markdown": _TEXT,
    "xhtml": {"type": "string"},
    "code": _pattern("[^ \\t\\r\\n]+( [^ \\t\\r\\n]+)*"),
    "id": _pattern("[A-Za-z0-9.-]{1,64}"),
    "oid": _pattern("urn:oid:[0-2]([.](0|[1-9][0-9]*))+"),
    "uuid": _pattern("urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "uri": _URI,
    "url": _URI,
    "canonical": _URI,
    "base64Binary": _pattern("[A-Za-z0-9+/= \\t\\r\\n]+"),
    "date": _pattern(f"{_DATE})?)?"),
    "dateTime": _pattern(f"{_DATE}(T{_TIME}{_ZONE})?)?)?"),
    "instant": _pattern(f"[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_TIME}{_ZONE}"),
    "time": _pattern(_TIME),
}
RESOURCE: Schema = {"type": "object", "required": ["resourceType"]}
_ABSTRACT = ("Resource", "DomainResource")
_QUANTITIES = ("Age", "Count", "Distance", "Duration", "Money", "MoneyQuantity", "SimpleQuantity")


class Schemas:
    """The definitions of a version, by name."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.definitions: dict[str, Schema] = {"Resource": RESOURCE}

    def build(self) -> dict[str, Schema]:
        """Those of every resource that can be stored, and of what they are made of."""
        for structure in self.package.structures.values():
            if structure.name not in PRIMITIVES and (structure.name == "Element" or not structure.is_abstract):
                self._add(structure)
        return dict(sorted((self.definitions | PRIMITIVES).items()))

    def _add(self, structure: Structure) -> None:
        children: dict[str, list[Element]] = {}
        for element in structure.elements[1:]:
            children.setdefault(element.path.rpartition(".")[0], []).append(element)
        for path, elements in children.items():
            schema = self._object(elements, set(children))
            if path == structure.name and structure.kind == "resource":
                schema["properties"] = {"resourceType": {"const": path}, **schema["properties"], "id": _ref("id")}
                schema["required"] = ["resourceType", *schema.get("required", [])]
            self.definitions[path] = schema

    def _object(self, elements: list[Element], parents: set[str]) -> Schema:
        properties: dict[str, Schema] = {}
        required: list[str] = []
        rules: list[Schema] = []
        for element in (one for one in elements if one.maximum != "0"):
            names = {}
            for name, reference, is_primitive in self._names(element, parents):
                names[name] = is_primitive
                properties |= _properties(name, reference, is_primitive, element.maximum != "1")
            present = [*names, *(f"_{name}" for name, is_primitive in names.items() if is_primitive)]
            if element.minimum and len(present) == 1:
                required += present
            elif element.minimum:
                rules.append({"anyOf": [{"required": [name]} for name in present]})
            if len(names) > 1:
                rules.append(_at_most_one(list(names)))
        schema: Schema = {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": properties}
        return schema | ({"required": required} if required else {}) | ({"allOf": rules} if rules else {})

    def _names(self, element: Element, parents: set[str]) -> Iterator[tuple[str, Schema, bool]]:
        """The members that may hold it in JSON: what each holds, and whether that is a primitive."""
        name = element.path.rpartition(".")[2]
        if element.same_as or element.path in parents:
            yield name, _ref(element.same_as or element.path), False
            return
        for code in element.types:
            known = self._known(code)
            written = f"{name[:-3]}{code[:1].upper()}{code[1:]}" if name.endswith("[x]") else name
            yield written, self._bound(element, known), known in PRIMITIVES

    def _known(self, code: str) -> str:
        """The name of its definition. Raises KeyError for a type that the version does not define."""
        if code in ("String", "string"):
            return "string"
        if code in _ABSTRACT:
            return "Resource"
        if code in PRIMITIVES or code in self.package.structures:
            return code
        if code in _QUANTITIES:
            return "Quantity"
        raise KeyError(code)

    def _bound(self, element: Element, name: str) -> Schema:
        """With the codes that are required there."""
        is_coded = element.value_set and not element.path.endswith("[x]")
        found = codes(self.package, element.value_set) if is_coded and name in ("code", "CodeableConcept") else {}
        if not found:
            return _ref(name)
        bound = f"{name}:{element.value_set.rpartition('/')[2]}"
        if bound not in self.definitions:
            self.definitions[bound] = _codes(found) if name == "code" else _concepts(found)
        return _ref(bound)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _properties(name: str, reference: Schema, is_primitive: bool, is_list: bool) -> dict[str, Schema]:
    if not is_list:
        return {name: reference, **({f"_{name}": _ref("Element")} if is_primitive else {})}
    if not is_primitive:
        return {name: {"type": "array", "minItems": 1, "items": reference}}
    return {
        name: {"type": "array", "minItems": 1, "items": {"anyOf": [reference, {"type": "null"}]}},
        f"_{name}": {"type": "array", "minItems": 1, "items": {"anyOf": [_ref("Element"), {"type": "null"}]}},
    }


def _at_most_one(names: list[str]) -> Schema:
    present = [{"required": [name]} for name in names]
    return {"oneOf": [*present, {"not": {"anyOf": present}}]}


def _codes(found: dict[str, list[str]]) -> Schema:
    return {"enum": sorted({code for group in found.values() for code in group})}


def _concepts(found: dict[str, list[str]]) -> Schema:
    """A CodeableConcept with one of these codes; one that says why it has none is let be."""
    codings = [
        {"properties": {"system": {"const": system}, "code": {"enum": group}}, "required": ["system", "code"]}
        for system, group in found.items()
    ]
    coded = {"required": ["coding"], "properties": {"coding": {"contains": {"anyOf": codings}}}}
    return {"allOf": [_ref("CodeableConcept"), {"anyOf": [{"required": ["extension"]}, coded]}]}
