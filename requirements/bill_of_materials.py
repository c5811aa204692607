"""What is in a release, as a CycloneDX document: every package of the lock, and what the wheel brings of others.

The same release gives the same bytes: no clock and no chance have a part in it.
"""

import hashlib
import re
import uuid
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from requirements.licences import licence
from requirements.lock import Lock, Locked

FORMAT = SchemaVersion.V1_6
VENDORED = Path(__file__).resolve().parent.parent / "static/vendor/fhirclient"


def bill_of_materials(wheel: Path) -> str:
    """The document in JSON that belongs to this wheel of smartauth."""
    lock = Lock()
    _, version, *_ = wheel.name.split("-")
    smartauth = _component("smartauth", version, "Apache-2.0", ComponentType.APPLICATION)
    smartauth.hashes = [_sha256(hashlib.sha256(wheel.read_bytes()).hexdigest())]
    components = {name: _locked(package, lock) for name, package in lock.packages.items()}
    bom = Bom(components=[*components.values(), bundled := _fhirclient()])
    bom.metadata.component = smartauth
    bom.register_dependency(smartauth, [bundled])
    for name, package in lock.packages.items():
        parents = {parent for parent in package.wanted_by if parent in components}
        direct = [smartauth] if len(parents) < len(package.wanted_by) else []
        for parent in (*direct, *(components[parent] for parent in parents)):
            bom.register_dependency(parent, [components[name]])
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the format has it optional
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{smartauth.purl}#{smartauth.hashes[0].content}")
    return make_outputter(bom, OutputFormat.JSON, FORMAT).output_as_string(indent=2) + "\n"


def _fhirclient() -> Component:
    """The library of the sample app, a file in the wheel."""
    about = re.match(r"fhirclient (\S+) ", (VENDORED / "README.md").read_text(encoding="utf-8"))
    assert about, "its README begins with the version"  # noqa: S101
    script = hashlib.sha256((VENDORED / "fhir-client.pure.min.js").read_bytes()).hexdigest()
    made = _component("fhirclient", about[1], "Apache-2.0", ComponentType.LIBRARY, registry="npm")
    made.hashes = [_sha256(script)]
    return made


def _locked(package: Locked, lock: Lock) -> Component:
    made = _component(package.name, package.version, licence(package.name), ComponentType.LIBRARY)
    made.scope = ComponentScope.REQUIRED if package.name in lock.required else ComponentScope.OPTIONAL
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(made.purl)), hashes=map(_sha256, package.hashes),
        comment="the files of this version, of which an installation takes one",
    )  # fmt: skip
    made.external_references = [files]
    return made


def _component(name: str, version: str, expression: str, kind: ComponentType, registry: str = "pypi") -> Component:
    purl = PackageURL(registry, name=name, version=version)
    licences = [LicenseFactory().make_from_string(expression)]
    return Component(type=kind, name=name, version=version, purl=purl, bom_ref=str(purl), licenses=licences)


def _sha256(content: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=content)
