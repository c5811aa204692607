"""The smallest real change of each kind that CONTRIBUTING names: which files it touches, and what is put there."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """In this file `new` takes the place of `old`; without `old` the file is a new one."""

    file: str
    new: str
    old: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change under its heading in CONTRIBUTING, and the tests that it brings."""

    heading: str
    edits: tuple[Edit, ...]
    written: tuple[str, ...] = ()  # by a command, after the edits
    tests: tuple[str, ...] = ()


def after(file: str, anchor: str, addition: str) -> Edit:
    return Edit(file, anchor + addition, anchor)


FIRST_IMPORT = "from oauth.tokens.allowed_method import is_allowed_method\n"
GRANT_TYPE = Kind(
    "A grant type",
    (
        Edit(
            "oauth/tokens/again.py",
            '"""A grant that is nobody\'s yet: a client asks for itself."""\n\n'
            "from oauth.http.credentials import AuthenticatedClient\n"
            "from oauth.http.machine_request import MachineRequest\n"
            "from oauth.http.machine_response import MachineResponse\n"
            "from oauth.tokens.client_credentials import client_credentials\n"
            "from smart.http.errors import OAuthError\n\n\n"
            "def again(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse | OAuthError:\n"
            "    return client_credentials(request, client)\n",
        ),
        Edit("oauth/tokens/endpoint.py", f"from oauth.tokens.again import again\n{FIRST_IMPORT}", FIRST_IMPORT),
        after("oauth/tokens/endpoint.py", '    "client_credentials": client_credentials,\n', '    "again": again,\n'),
        Edit(
            "smart/server_facts.py",
            'frozenset({"again", "authorization_code", ',
            'frozenset({"authorization_code", ',
        ),
        Edit(
            "oauth/registration/client_fields.py",
            'REFRESH_TOKEN, "again", CLIENT_CREDENTIALS)',
            "REFRESH_TOKEN, CLIENT_CREDENTIALS)",
        ),
        Edit(
            "docs/reference/endpoints.md",
            "| `again` | none | to try it |\n| `client_credentials` |",
            "| `client_credentials` |",
        ),
        Edit("docs/seed-file.md", "of `again`, `authorization_code`, ", "of `authorization_code`, "),
        Edit(
            "tests/smart/test_metadata.py",
            '== ["again", "authorization_code", "client_cred',
            '== ["authorization_code", "client_cred',
        ),
        Edit(
            "tests/oauth/tokens/test_again.py",
            "from oauth.tokens.endpoint import GRANTS\n\n\n"
            "def test_the_grant_is_answered() -> None:\n"
            '    assert GRANTS["again"].__name__ == "again"\n',
        ),
    ),
    tests=("tests/oauth/tokens/test_again.py", "tests/smart/test_metadata.py"),
)
SMALL = ["Condition", "Encounter", "Observation", "Practitioner", "Patient"]
FHIR_VERSION = Kind(
    "A FHIR version",
    (
        Edit("smart/fhir/versions.py", '"r5", "r6")', '"r5")'),
        Edit(
            "smart/fhir/versions/r6.json",
            f'{{"resource_types": {json.dumps(SMALL)}}}\n',
        ),
        Edit(
            "smart/fhir/definitions/r6.json",
            '{"Patient": {"compartment": {"itself": true}, "search": {}}, '
            + ", ".join(f'"{name}": {{"compartment": {{}}, "search": {{}}}}' for name in SMALL[:-1])
            + "}\n",
        ),
        Edit("smart/scopes/categories.json", '{\n  "r6": {},\n', "{\n"),
        after("oauth/models/servers.py", '        R5 = "r5", "R5"\n', '        R6 = "r6", "R6"\n'),
        Edit("docs/seed-file.md", "| `version` | `r6`, `r4`,", "| `version` | `r4`,"),
        Edit("docs/reference/commands.md", "| `--version` | `r6`, `r4`,", "| `--version` | `r4`,"),
        Edit("tests/smart/fhir/test_versions.py", '("r5", 158), ("r6", 5)]', '("r5", 158)]'),
        Edit("tests/smart/fhir/test_versions.py", '"r4b", "r5", "r6")', '"r4b", "r5")'),
        Edit(
            "fhir/versions/r6.json",
            '{"fhirVersion": "6.0.0", "mediaTypes": ["application/fhir+json"], "statement": {}, "securityService": {},'
            ' "issueLocation": "expression", "subsetted": {}, "auditForms": {},'
            ' "types": {"Patient": {"interactions": ["read"], "search": []}}}\n',
        ),
        Edit("smartauth/settings.py", '"r6": f"{SMARTAUTH_ISSUER}/fhir/r6", "r4": f"{SM', '"r4": f"{SM'),
    ),
    written=("oauth/migrations/9999_one_of_each.py", "fhir/validation/schemas/r6.jsonl.gz"),
    tests=(
        "tests/smart/fhir/test_definitions.py",
        "tests/smart/fhir/test_elements.py",
        "tests/smart/fhir/test_versions.py",
        "tests/smart/scopes/test_scope.py",
        "tests/smart/scopes/test_scopes.py",
        "tests/fhir/http/test_routes.py",
    ),
)
RS256_ALONE, ES512_AMONG = '("RS256", "active")', '("ES512", "active"), ("ES512", "next"), ("RS256", "active")'
SIGNING_ALGORITHM = Kind(
    "A signing algorithm",
    (
        Edit(
            "oauth/keys/signing_keys.py", 'ALGORITHMS = ("ES256", "RS256", "ES512")', 'ALGORITHMS = ("ES256", "RS256")'
        ),
        Edit(
            "oauth/keys/signing_keys.py",
            'ECKey.generate_key("P-256" if algorithm == "ES256" else "P-521", about, private=True)\n'
            '        if algorithm.startswith("ES")',
            'ECKey.generate_key("P-256", about, private=True)\n        if algorithm == "ES256"',
        ),
        Edit(
            "oauth/tokens/tamper_evidence.py",
            'ALGORITHMS = ["ES256", "RS256", "ES512"]',
            'ALGORITHMS = ["ES256", "RS256"]',
        ),
        after("oauth/models/servers.py", '        RS256 = "RS256"\n', '        ES512 = "ES512"\n'),
        Edit("docs/seed-file.md", "| `ES512`, `ES256`, `RS256` |", "| `ES256`, `RS256` |"),
        Edit("docs/reference/commands.md", "`--algorithm` `ES512`, `ES256` or", "`--algorithm` `ES256` or"),
        Edit("tests/oauth/keys/test_rotation.py", ES512_AMONG, RS256_ALONE),
        Edit("tests/oauth/keys/test_signing_keys.py", ES512_AMONG, RS256_ALONE),
    ),
    written=("oauth/migrations/9999_one_of_each.py",),
    tests=("tests/oauth/keys/test_signing_keys.py",),
)
CLAIM_PROFILE = Kind(
    "A claim profile",
    (
        Edit("smart/tokens/claim_profiles.json", '{\n  "ehr": {"person": {"from": "fhirUser", "as": "id"}},\n', "{\n"),
        after("oauth/models/servers.py", '    SMART = "smart", "SMART"\n', '    EHR = "ehr", "an EHR"\n'),
        after(
            "docs/reference/claims.md",
            "| Profile | Adds | From | As |\n|---|---|---|---|\n",
            "| `ehr` | `person` | `fhirUser` | `id` |\n",
        ),
        Edit("docs/reference/claims.md", "### `ehr`: an EHR\n\n### `node`:", "### `node`:"),
        Edit("docs/seed-file.md", "its tokens speak: `ehr`, ", "its tokens speak: "),
        Edit("docs/reference/commands.md", "(claims.md): `ehr`, ", "(claims.md): "),
        Edit(
            "tests/smart/tokens/test_claim_profiles.py",
            '        ("ehr", {"person": "amy"}),\n        ("smart", {}),\n',
            '        ("smart", {}),\n',
        ),
        Edit("tests/smart/tokens/test_claim_profiles.py", '== {"ehr", "smart", ', '== {"smart", '),
    ),
    written=("oauth/migrations/9999_one_of_each.py",),
    tests=("tests/smart/tokens/test_claim_profiles.py",),
)
KIND_OF_EVENT = Kind(
    "A kind of event",
    (
        after("audit/event_kinds.py", '    ALLOWED = "allowed", Result.DONE\n', '    ASKED = "asked", Result.DONE\n'),
        after(
            "docs/reference/events.md", "| Kind | What happened |\n|---|---|\n", "| `asked` | a load balancer asked |\n"
        ),
        Edit(
            "operators/asking.py",
            '"""Who asked."""\n\n'
            "from audit.event_kinds import EventKind\n"
            "from audit.trail import Event, record_events\n\n\n"
            "def record_asked() -> None:\n"
            "    record_events(Event(kind=EventKind.ASKED))\n",
        ),
    ),
)
PAGE = Kind(
    "A page for people",
    (
        Edit(
            "oauth/demo/about.py",
            '"""What this server is."""\n\n'
            "from django.http import HttpRequest, HttpResponse\n"
            "from django.shortcuts import render\n"
            "from django.views.decorators.http import require_safe\n\n\n"
            "@require_safe\n"
            "def about(request: HttpRequest) -> HttpResponse:\n"
            '    return render(request, "about.html")\n',
        ),
        Edit("templates/about.html", '{% extends "base.html" %}\n{% block main %}<h1>About</h1>{% endblock %}\n'),
        Edit("smartauth/urls.py", '    path("about", about),\n    path("apps", apps),\n', '    path("apps", apps),\n'),
        Edit(
            "smartauth/urls.py",
            "from oauth.demo import home, sample_app\nfrom oauth.demo.about import about\n",
            "from oauth.demo import home, sample_app\n",
        ),
        Edit("docs/reference/endpoints.md", "| `/about` | GET | what this server is |\n| `/apps` |", "| `/apps` |"),
        Edit("tests/browser/test_accessibility.py", 'PAGES = [\n    "/about", ', "PAGES = [\n    "),
        Edit(
            "tests/oauth/demo/test_about.py",
            "from typing import Any\n\n\n"
            "def test_everybody_may_read_it(client: Any) -> None:\n"
            '    assert "<h1>About</h1>" in client.get("/about").content.decode()\n',
        ),
    ),
    tests=("tests/oauth/demo/test_about.py",),
)
SETTING = Kind(
    "A setting",
    (
        Edit(
            "smartauth/settings_table.py",
            'EXAMPLE = Setting("SMARTAUTH_EXAMPLE", whole(0, 9), 1, "To try it")\nTRUSTED_PROXIES = Setting(',
            "TRUSTED_PROXIES = Setting(",
        ),
        after(
            "smartauth/settings.py",
            "SMARTAUTH_REFUSALS_LOCK: str = _env[table.REFUSALS_LOCK]\n",
            "SMARTAUTH_EXAMPLE: int = _env[table.EXAMPLE]\n",
        ),
    ),
    written=("docs/settings.md",),
    tests=("tests/smartauth/test_settings_table.py", "tests/smartauth/test_settings_docs.py"),
)
ENDPOINT = Kind(
    "An endpoint for resource servers",
    (
        Edit(
            "introspection/count.py",
            '"""How often a client asked."""\n\n'
            "from oauth.clients.authentication import run_as_client\n"
            "from oauth.http.machine_request import MachineRequest\n"
            "from oauth.http.machine_response import MachineResponse\n\n\n"
            "async def count(request: MachineRequest) -> MachineResponse:\n"
            '    return await run_as_client(request, lambda client: MachineResponse({"count": 0}))\n',
        ),
        Edit(
            "smartauth/asgi.py",
            "from introspection.count import count  # noqa: E402\nfrom introspection.evaluation",
            "from introspection.evaluation",
        ),
        after("smartauth/asgi.py", "MACHINES = {\n", '    "/o/count": Endpoint(count),\n'),
        Edit("docs/reference/endpoints.md", "### `/o/count`\n\nTo try it.\n\n### `/o/revoke`", "### `/o/revoke`"),
        after("oauth/workbench/console/machine_rows.py", "TITLES = {", '"/o/count": "Count", '),
        Edit("docs/console.md", "| Count | `/o/count` |\n| UserInfo |", "| UserInfo |"),
        after("tests/explained.py", "ENDPOINTS = (\n", '    "/o/count",\n'),
        Edit(
            "tests/introspection/test_count.py",
            "from tests.conftest import App\n\n\n"
            "def test_nobody_counts_without_a_client(app: App) -> None:\n"
            '    assert app.post("/o/count", data={}).status_code == 400\n',
        ),
    ),
    tests=("tests/introspection/test_count.py",),
)
ADMIN_LIST = Kind(
    "A list of the admin",
    (
        Edit(
            "operators/admin/pending_requests.py",
            '"""Requests that wait for a person: read only."""\n\n'
            "from django.contrib import admin\n\n"
            "from oauth.models import PendingRequest\n"
            "from operators.admin.model_admin import ReadOnlyAdmin\n\n\n"
            "@admin.register(PendingRequest)\n"
            "class PendingRequestAdmin(ReadOnlyAdmin):\n"
            '    list_display = ("pk",)\n'
            '    search_fields = ("=pk",)\n',
        ),
        Edit(
            "operators/admin/__init__.py",
            "patient_records, pending_requests, people, signing_keys\n",
            "patient_records, people, signing_keys\n",
        ),
        Edit("operators/admin/__init__.py", '"pending_requests",\n    "people"', '"people"'),
        after(
            "docs/admin.md",
            "| You want to | Go to |\n|---|---|\n",
            "| See what waits for a person | Pending requests |\n",
        ),
        Edit("tests/operators/admin/test_lists.py", 'LISTS = [\n    "oauth/pendingrequest",\n    ', "LISTS = [\n    "),
    ),
    tests=("tests/operators/admin/test_lists.py",),
)
AUD_NUMBER = '"kind": "aud-number", "wrong": "`aud` is a number.", '
AUD_TRUE = '"kind": "aud-true", "wrong": "`aud` is true.", '
JWT_ONLY = '"fools": "J", "answer": "401", "source": "RFC 7519 §4.1.3"}'
BAD_TOKEN = Kind(
    "A kind of bad token",
    (
        after(
            "smartauth_probe/catalogue.json",
            f'{{"id": "XT-926", {AUD_NUMBER}{JWT_ONLY}',
            f',\n        {{"id": "XT-926", {AUD_TRUE}{JWT_ONLY}',
        ),
        Edit("docs/specification/bad-tokens.md", "aud-object, aud-number, aud-true |", "aud-object, aud-number |"),
        after(
            "smartauth_probe/bad_claims.py",
            '    "aud-number": _set(aud=1),\n',
            '    "aud-true": _set(aud=True),\n',
        ),
        Edit(
            "tests/oauth/workbench/minting/test_mint.py",
            'aud-list-other aud-number aud-true"',
            'aud-list-other aud-number"',
        ),
    ),
    # of the probe's all but what is of FHIR's versions, of loading records and of the form of a report
    tests=(
        "tests/oauth/workbench/minting/test_mint.py",
        "tests/oauth/workbench/api/test_openapi.py",
        "tests/smartauth_probe/checks",
        "tests/smartauth_probe/target",
        "tests/smartauth_probe/tokens",
        "tests/smartauth_probe/test_bad_token.py",
        "tests/smartauth_probe/test_catalogue.py",
        "tests/smartauth_probe/test_command.py",
        "tests/smartauth_probe/test_pytest_plugin.py",
        "tests/smartauth_probe/test_requests.py",
        "tests/smartauth_probe/test_thirty_lines.py",
        "tests/smartauth_probe/test_token_order.py",
        "tests/smartauth_probe/test_verdict.py",
    ),
)
NEXT = 132  # the next free id of bad input
BAD_INPUT = Kind(
    "A rule about bad input",
    (
        Edit(
            "smart/authorize/rules.py",
            "def _check_no_example(request: UnvalidatedRequest) -> None:\n"
            '    if request.parameters.get("example", ""):\n'
            '        raise InvalidRequest("example is not supported")\n\n\n'
            "def _check_response_mode(",
            "def _check_response_mode(",
        ),
        after(
            "smart/authorize/rules.py",
            '    Rule("AZ-22", "E33", "max_age is a number of seconds.", _check_max_age),\n',
            f'    Rule("AZ-03", "E{NEXT}", "No example is sent.", _check_no_example),\n',
        ),
        after(
            "docs/specification/bad-input.md",
            "## A. Authorization endpoint\n\n| ID | Bad input | Response |\n|---|---|---|\n",
            f'| <a id="e{NEXT}"></a>[E{NEXT}](tests.md#e{NEXT}) | `example` | REDIR invalid_request |\n',
        ),
        Edit(
            "tests/smart/authorize/test_request.py",
            'ROWS: list[Row] = [\n    ("E'
            + f'{NEXT}", "invalid_request", "example is not supported", [{{"example": "1"}}]),\n',
            "ROWS: list[Row] = [\n",
        ),
    ),
    written=("docs/specification/tests.md",),
    tests=("tests/smart/authorize",),
)
KINDS = (
    *(GRANT_TYPE, FHIR_VERSION, SIGNING_ALGORITHM, CLAIM_PROFILE, KIND_OF_EVENT),
    *(PAGE, SETTING, ENDPOINT, ADMIN_LIST, BAD_TOKEN, BAD_INPUT),
)
