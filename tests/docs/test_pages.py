"""Links lead somewhere, quotations are true, tables say what the code does."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern, URLResolver

from audit.event_kinds import EventKind
from oauth.ending.reasons import REASONS
from smart.http import errors
from smartauth.asgi import MACHINES
from smartauth.development_machines import DEVELOPMENT_MACHINES
from smartauth.urls import urlpatterns
from tests.docs.pages import commands, named, pages, quoted
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)
ANCHOR = re.compile(r'<a id="([^"]+)">')
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)(?:::(?P<name>\w+))?`")
ROW = re.compile(r"^\| `(?P<name>[^`]+)`", re.M)
OURS = ("accounts", "audit", "fhir", "introspection", "oauth", "operators", "smartauth")
EVENTS = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
ENDPOINTS = (ROOT / "docs/reference/endpoints.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names that headings and marked places have as targets."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}
    return headings | set(ANCHOR.findall(text))


@pytest.mark.parametrize(
    "marker",
    [
        "<!-- run on a machine -->\n",
        "<!-- run on-a machine -->",
        "<!-- Run on a machine -->",
        "<!--run on a machine-->",
    ],
)
def test_a_block_whose_place_is_said_in_other_words_is_read_by_nobody(marker: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{marker}\n```sh\nuseradd somebody\n```\n", encoding="utf-8")

    with pytest.raises(AssertionError, match="no block follows"):
        commands(page)


def test_a_block_with_a_place_is_not_among_the_commands_for_this_machine(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- run on a machine -->\n```sh\nuseradd somebody\n```\n\n```sh\ntrue\n```\n", encoding="utf-8")

    assert commands(page) == "true\n"


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        assert not link["anchor"] or link["anchor"] in anchors(target), link[0]


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_page_is_reached_from_the_map(page: Path) -> None:
    maps = [ROOT / "docs/index.md", *(ROOT / "docs").glob("*/index.md")]
    links = [(place, link["path"]) for place in maps for link in LINK.finditer(place.read_text(encoding="utf-8"))]

    assert page in {(place.parent / path).resolve() for place, path in links} or page == maps[0]


@pytest.mark.parametrize("page", pages(), ids=named)
def test_what_is_quoted_stands_in_the_file(page: Path) -> None:
    for file, text in quoted(page):
        assert text in (ROOT / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_test_that_is_named_exists(page: Path) -> None:
    for found in TEST.finditer(page.read_text(encoding="utf-8")):
        text = (ROOT / found["file"]).read_text(encoding="utf-8")
        assert not found["name"] or f"def {found['name']}(" in text, found[0]


LIBRARIES = ROOT / "docs/reference/client-libraries.md"
LIBRARY = re.compile(r"^\| (?P<name>[\w-]+)(?: \((?P<language>\w+))?[^|]*\| (?P<version>[0-9.]+)", re.M)


def locked(name: str, language: str) -> str:
    """The version of a client library that the tests install."""
    if language == "Python" or name == "authlib":
        found = re.search(rf"^{name}==([0-9.]+)", (ROOT / "requirements/dev.txt").read_text(encoding="utf-8"), re.M)
        return found[1] if found else ""
    if name == "hapi-fhir-client":
        found = re.search(r"<hapi.version>(.+)</", (ROOT / "tests/clients/hapi_client/pom.xml").read_text("utf-8"))
        return found[1] if found else ""
    folder = {"fhirclient": "fhirclient-js", "fhir-kit-client": "fhirclient-js"}.get(name, name)
    packages = json.loads((ROOT / "tests/clients" / folder / "package-lock.json").read_text(encoding="utf-8"))
    return str(packages["packages"][f"node_modules/{name}"]["version"])


def test_the_client_libraries_are_those_that_the_tests_install() -> None:
    named = [found.groupdict("") for found in LIBRARY.finditer(LIBRARIES.read_text(encoding="utf-8"))]

    assert len(named) >= 5
    assert [row for row in named if row["version"] != locked(row["name"], row["language"])] == []


# Events ---------------------------------------------------------------------------------------------------------------


def test_the_tables_of_events_and_reasons_are_those_that_the_code_keeps() -> None:
    kinds, _, reasons = EVENTS.partition("\n## Reasons")

    assert set(ROW.findall(kinds)) == set(EventKind)
    assert dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", reasons, re.M)) == {
        code: reason.operator for code, reason in REASONS.items()
    }


def test_every_kind_of_event_is_recorded_somewhere() -> None:
    code = [file for folder in OURS for file in (ROOT / folder).rglob("*.py") if file.name != "event_kinds.py"]
    recorded = set(re.findall(r"EventKind\.(\w+)", "".join(file.read_text(encoding="utf-8") for file in code)))

    assert set(EventKind.__members__) - recorded == set()


# Endpoints ------------------------------------------------------------------------------------------------------------


def routes(patterns: list[URLPattern | URLResolver]) -> set[str]:
    """Every address of the server, with {} for what varies."""
    people = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{each.pattern}") for each in patterns}
    development = {re.sub(r"^/dev/introspect/.*", "/dev/introspect/{fault}", path) for path in DEVELOPMENT_MACHINES}
    return people | set(MACHINES) | development


def test_every_address_of_the_server_is_documented_and_no_other() -> None:
    assert set(re.findall(r"^(?:\||#+) `(/[^`?]*)", ENDPOINTS, re.M)) == routes(urlpatterns)


# Commands -------------------------------------------------------------------------------------------------------------


# of libraries, which do nothing but say what to do
REFUSED = {"changepassword", "clearcimdapplications", "cleartokens", "createapplication", "createsuperuser"}


def own_commands() -> dict[str, str]:
    return {name: str(app) for name, app in get_commands().items() if str(app) in OURS and name not in REFUSED}


def test_every_command_is_documented_and_no_other() -> None:
    assert set(re.findall(r"^## `manage.py ([\w-]+)", COMMANDS, re.M)) == set(own_commands())
    assert all(f"`{name}`" in COMMANDS for name in REFUSED)


@pytest.mark.parametrize("name", sorted(own_commands()))
def test_every_option_of_a_command_is_documented(name: str) -> None:
    parser = load_command_class(own_commands()[name], name).create_parser("manage.py", name)
    section = COMMANDS.partition(f"## `manage.py {name}")[2].partition("\n## ")[0]

    for option in _options(parser):
        assert f"`{option}" in section, option


def _options(parser: object) -> set[str]:
    """Long options that are ours; Django gives every command the rest."""
    actions = getattr(parser, "_actions", [])
    below = [each for action in actions if isinstance(action.choices, dict) for each in action.choices.values()]
    known = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color"}
    known |= {"--force-color", "--skip-checks"}
    own = {option for action in actions for option in action.option_strings if option.startswith("--")}
    return (own - known).union(*(_options(each) for each in below))


def test_the_table_of_errors_is_the_list_of_the_code() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8").partition("## The bundled")[0]

    assert set(ROW.findall(page)) == {
        value.code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")
    }


@pytest.mark.requirement("SCP-24")
def test_what_a_token_shows_of_linked_patients_is_said() -> None:
    section = (ROOT / "docs/scopes.md").read_text(encoding="utf-8").partition("\n## Linked patients\n")[2]

    told = " ".join(section.partition("\n## ")[0].split())

    assert "does not follow `Patient.link`" in told
    assert "neither the linked Patient nor the records of that one, on read and on search alike" in told
