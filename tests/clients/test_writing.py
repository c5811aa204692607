"""Libraries that other people wrote create, read, change, find and delete at the bundled FHIR server."""

import subprocess

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.codeableconcept import CodeableConcept
from fhirclient.models.coding import Coding
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException
from requests import HTTPError

from tests import maven
from tests.clients.conftest import HERE, WRITING, Clinic
from tests.flows.app import StandaloneLaunch
from tests.npm import install

pytestmark = [pytest.mark.clients, pytest.mark.requirement("SD-14", "SD-16")]
LIFE = ("created", "read", "updated", "found", "gone", "of another", "hidden")


@pytest.fixture(scope="module")
def app(clinic: Clinic) -> FHIRClient:
    """fhirclient for Python with amy's token, by which the programs in other languages ask as well."""
    settings = {
        "api_base": clinic.base,
        "app_id": WRITING,
        "redirect_uri": f"{clinic.app}/callback",
        "scope": "launch/patient patient/*.cruds",
    }
    app = FHIRClient(settings=settings)
    app.prepare()
    person = StandaloneLaunch(clinic.server)
    app.handle_callback(person.allow(person.browser.get(app.authorize_url)))
    return app


def said(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def observation(patient: str) -> Observation:
    found = Observation()
    found.status = "preliminary"
    found.code = CodeableConcept()
    found.code.coding = [Coding({"system": "urn:example", "code": "python"})]
    found.subject = FHIRReference({"reference": f"Patient/{patient}"})
    return found


def test_fhirclient_for_python_writes(app: FHIRClient) -> None:
    made = observation("amy").create(app.server)
    read = Observation.read(made["id"], app.server)
    read.status = "final"
    updated = read.update(app.server)
    found = Observation.where({"patient": "amy", "code": "urn:example|python"}).perform_resources(app.server)

    assert (made["meta"]["versionId"], updated["meta"]["versionId"]) == ("1", "2")
    assert [(one.id, one.status) for one in found] == [(made["id"], "final")]
    assert read.delete(app.server) is None
    with pytest.raises(HTTPError, match="410"):
        Observation.read(made["id"], app.server)
    with pytest.raises(FHIRPermissionDeniedException):
        observation("ben").create(app.server)
    read.id = "ben-hba1c-1"
    with pytest.raises(FHIRNotFoundException):
        read.update(app.server)


def test_fhirclient_and_fhir_kit_client_in_javascript_write(clinic: Clinic, app: FHIRClient) -> None:
    folder = install(HERE / "fhirclient-js")

    lines = said("node", str(folder / "writes.mjs"), clinic.base, app.server.auth.access_token)

    answers = ("version 1", "preliminary", "version 2", "1 final true", "410", "403", "404")
    told = [f"{step}: {answer}" for step, answer in zip(LIFE, answers, strict=True)]
    assert lines == [f"{library} {line}" for library in ("fhirclient", "fhir-kit-client") for line in told]


def test_the_generic_client_of_hapi_writes(clinic: Clinic, app: FHIRClient) -> None:
    built = maven.build(HERE / "hapi_client") / "target"
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{built}/classes:{built}/lib/*", "Writes"]

    lines = said(*command, clinic.base, app.server.auth.access_token)

    answers = ("true version 1", "preliminary 72.50", "version 2", "1 final true", "410 true", "403 true", "404 true")
    assert lines == [f"{step}: {answer}" for step, answer in zip(LIFE, answers, strict=True)]
