"""What stands in several lists stands in all of them: grant types, versions, algorithms, profiles, pages, endpoints."""

import json
import re

import pytest
from django.contrib import admin

from fhir.versions.version import available_versions
from oauth.http.json_endpoint import JsonEndpoint
from oauth.keys import signing_keys
from oauth.models import Client, FhirServer
from oauth.models.servers import ClaimProfile
from oauth.registration import clients, fhir_servers
from oauth.tokens import tamper_evidence
from oauth.tokens.endpoint import GRANTS
from oauth.workbench.console.machine_rows import TITLES
from smart.fhir.versions import FHIR_VERSIONS
from smart.metadata import SMART_GRANTS
from smart.server_facts import ServerFacts
from smart.tokens.claim_profiles import CUSTOM, profiles
from smartauth.asgi import MACHINES
from smartauth.urls import urlpatterns
from smartauth_probe.introspection_faults import introspection_faults
from tests.browser.test_accessibility import PAGES
from tests.explained import ENDPOINTS as EXPLAINED
from tests.oauth.http.test_json_endpoint import ENDPOINTS
from tests.operators.admin.test_lists import LISTS
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

FACTS = ServerFacts(issuer="", token_endpoint="")
LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
CODE = re.compile(r"`([^`]+)`")
SEED_FILE, COMMANDS, CLAIMS, ENDPOINT_PAGE, ADMIN = (
    (ROOT / "docs" / page).read_text(encoding="utf-8")
    for page in ("seed-file.md", "reference/commands.md", "reference/claims.md", "reference/endpoints.md", "admin.md")
)
ANSWERS_OF_A_STEP = {
    "/demo/callback",
    "/demo/launch",
    "/dev/probe",
    "/dev/sign-in",
    "/logout",
}  # no page of their own to walk through
DEVELOPMENT_OWN = (
    "/dev/console/",
    "/dev/introspection-faults",
    "/dev/openapi.json",
    "/dev/probe/results",
    "/dev/tokens/",
)
MACHINES_OWN = (*DEVELOPMENT_OWN, "/.well-known/", "/admin/", "/fhir/", "/healthz", "/o/", "/readyz")


def row(page: str, name: str) -> set[str]:
    """What a table says that a key or option takes."""
    cells = next(line.split("|") for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    return set(CODE.findall(cells[2]))


def choices(sentence: str) -> set[str]:
    """The values that the refusal of another one names."""
    return set(re.findall(r"[\w:-]+", sentence.partition("one of ")[2].partition(", not")[0]))


def registrable(key: str) -> set[str]:
    """What a FHIR server may have there, whether an operator, a seed file or a command registers it."""
    server = FhirServer(base="https://fhir.example.org/r4", name="Example", **{key: "?"})
    return choices(fhir_servers.problems(server)[key][0])


def test_a_grant_type_is_answered_announced_seeded_and_documented() -> None:
    of_a_client = choices(clients.problems(Client(client_id="app", name="App", grants="?"), [])["grants"][0])
    documented = re.findall(
        r"^\| `(\w[\w:-]*)` \|", ENDPOINT_PAGE.partition("### `/o/token`")[2].partition("###")[0], re.M
    )

    assert set(GRANTS) == FACTS.grants == of_a_client == set(documented) - {"grant_type"} == row(SEED_FILE, "grants")
    assert set(SMART_GRANTS) <= set(GRANTS)


def test_a_fhir_version_is_known_everywhere() -> None:
    known = set(FHIR_VERSIONS)

    assert known == set(FhirServer.Version.values) == registrable("version")
    assert known == row(SEED_FILE, "version") == row(COMMANDS, "--version")
    assert known == {file.stem for file in (ROOT / "smart/fhir/versions").glob("*.json")}
    assert known == set(json.loads((ROOT / "smart/scopes/categories.json").read_text(encoding="utf-8")))
    assert set(available_versions()) <= known


def test_a_signing_algorithm_signs_is_recognised_seeded_and_documented() -> None:
    known = set(signing_keys.ALGORITHMS)

    assert known == set(FhirServer.Algorithm.values) == set(tamper_evidence.ALGORITHMS)
    assert known == registrable("signing_algorithm") == row(SEED_FILE, "signing_algorithm")
    assert known <= row(COMMANDS, "rotate")


def test_a_claim_profile_can_be_chosen_everywhere() -> None:
    known = {*profiles(), CUSTOM}

    assert known == set(ClaimProfile.values)
    assert known == registrable("claim_profile") == row(SEED_FILE, "claim_profile")
    assert known == row(COMMANDS, "--claims")


def test_every_page_is_walked_through_by_keyboard() -> None:
    pages = {f"/{each.pattern}" for each in urlpatterns if "<" not in str(each.pattern)}
    people = {page for page in pages if not page.startswith(MACHINES_OWN)}

    assert people - ANSWERS_OF_A_STEP - set(PAGES) == set()


def test_every_json_endpoint_is_asked_by_the_test_of_what_they_share() -> None:
    views = {
        f"/{each.pattern}": getattr(each.callback, "view_class", object)
        for each in urlpatterns
        if not hasattr(each, "url_patterns")
    }

    assert {path for path, view in views.items() if issubclass(view, JsonEndpoint)} == set(ENDPOINTS)
    assert not set(MACHINES) & set(views)


def test_every_machine_is_asked_for_the_rule_of_its_refusals_and_has_a_name_in_the_console() -> None:
    assert set(MACHINES) - set(EXPLAINED) == set(MACHINES) - set(TITLES) == set()


def test_every_list_of_the_admin_is_opened_and_documented() -> None:
    shown = {
        f"{model._meta.app_label}/{model._meta.model_name}": model._meta.verbose_name_plural
        for model, shown in admin.site._registry.items()
        if type(shown).__module__.startswith("operators.") and type(shown).__name__ != "Hidden"
    }

    assert set(shown) == set(LISTS)
    assert [name for name in shown.values() if str(name).split()[-1].lower() not in ADMIN.lower()] == []


def test_every_fault_of_introspection_is_documented_as_it_is() -> None:
    text = (ROOT / "docs" / "introspection-faults.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    documented = [(name.strip("`"), wrong, answer, LINK.sub(r"\1", source)) for name, wrong, answer, source in rows]

    assert documented == [
        (
            fault.name,
            f"{fault.sentence} A matter of policy: {fault.policy}" if fault.policy else fault.sentence,
            " or ".join(map(str, sorted(fault.statuses))),
            fault.source,
        )
        for fault in introspection_faults().values()
    ]
