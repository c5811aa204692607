"""The report in each form, of a server that lets too much out."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from datetime import date
from hashlib import sha256
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.entries import Unreadable
from smartauth_probe.report.accepted import Accepted, read_accepted
from smartauth_probe.report.comparison import changes, read_outcomes
from smartauth_probe.report.evidence import Evidence
from smartauth_probe.report.files import FORMS
from smartauth_probe.report.html_findings import finding
from smartauth_probe.report.repeating import Repeating
from smartauth_probe.report.report import Report
from smartauth_probe.report.terminal import summary
from smartauth_probe.runner import chosen, run
from smartauth_probe.target.discovery import prepare
from tests.running import ROOT
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
FAULTS = ("open", "forbidden-told", "count-before-filter")
ACCEPTED = {"other-patient": Accepted("Our ids are no secret <b>", "2027-01-31")}
TODAY = date(2026, 11, 29)


def report_of(*faults: str, full: bool = False) -> Report:
    client = client_of()
    probe = prepare(client, OpenTokens())
    client.server.faults = frozenset(faults)
    checks = chosen(all_checks(), ["no-token", "in-*", "cookie", "requests", "compartment", "count-*"])
    return Report.about(probe, run(probe, checks), Evidence(probe.private, full), ACCEPTED)


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(*FAULTS)


class Page(HTMLParser):
    """Names of elements, what they load, and the ids that they are found by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "style") or name.startswith("on"):
                self.loaded.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_loads_nothing_and_its_policy_allows_its_own_style_alone(report: Report) -> None:
    text = FORMS["html"](report)
    page = Page(text)

    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert "script" not in page.tags
    assert all(each.startswith("#") for each in page.loaded)
    assert len(set(page.ids)) == len(page.ids)
    assert {each.removeprefix("#") for each in page.loaded} <= set(page.ids)


def test_the_page_says_the_result_what_to_fix_first_and_all_of_each_finding(report: Report) -> None:
    text = FORMS["html"](report)

    assert f"<h1>{report.title}</h1>" in text
    assert text.index(f"{escape(report.failed[0].check.headline)}.</strong>") < text.index("By section")
    for each in report.failed:
        assert f'id="{each.check.name}"' in text
    assert "Accepted until 2027-01-31: Our ids are no secret &lt;b&gt;" in text


AGAIN = Repeating("smartauth probe URL --client my-app", "smartauth token --client my-app")


def test_a_finding_is_repeated_by_the_command_of_the_run(report: Report) -> None:
    text = FORMS["html"](replace(report, again=AGAIN))

    assert "smartauth probe URL --client my-app --only other-observation\n" in text
    assert f"<code>smartauth probe URL --client my-app --only {report.failed[0].check.name}</code>" in text
    assert "TOKEN=$(" not in text


@pytest.mark.parametrize(("again", "count"), [(AGAIN, 1), (Repeating("smartauth probe URL"), 0)], ids=["here", "else"])
def test_a_bad_token_to_repeat_it_with_is_ordered_where_it_came_from(
    report: Report, again: Repeating, count: int
) -> None:
    made = next(each for each in report.failed if each.check.name == "other-observation")
    sent = replace(made, exchanges=(replace(made.exchanges[-1], token="expired"),))

    text = finding(replace(report, again=again), sent)

    assert text.count("TOKEN=$(smartauth token --client my-app --bad expired)") == count


def test_the_style_and_the_icons_are_those_of_the_pages() -> None:
    for name in ("smartauth.css", "icons.svg"):
        ours, theirs = ROOT / "static" / name, ROOT / "smartauth_probe/report" / name
        assert ours.read_text(encoding="utf-8") == theirs.read_text(encoding="utf-8"), f"copy static/{name} there"


def test_junit_counts_what_failed_and_what_was_skipped(report: Report) -> None:
    suites = ElementTree.fromstring(FORMS["junit"](report))

    cases = list(suites.iter("testcase"))
    assert len(cases) == len(report.run.results)
    assert len(list(suites.iter("failure"))) == len(report.failed)
    assert sum(int(each.attrib["failures"]) for each in suites.iter("testsuite")) == len(report.failed)


def test_sarif_has_a_rule_for_each_result_and_suppresses_what_is_accepted(report: Report) -> None:
    (made,) = json.loads(FORMS["sarif"](report))["runs"]

    rules = {rule["id"] for rule in made["tool"]["driver"]["rules"]}
    errors = [each for each in made["results"] if each["level"] == "error"]
    assert {each["ruleId"] for each in made["results"]} <= rules
    assert [each["ruleId"] for each in errors if "suppressions" in each] == ["other-patient"]
    assert len(errors) == len(report.failed) + 1


@pytest.mark.parametrize(
    ("server", "file"),
    [
        ("http://127.0.0.1:9000/fhir", "127.0.0.1/9000/fhir"),
        ("https://localhost:9000", "localhost/9000"),
        ("https://fhir.example.org/fhir/r4", "fhir.example.org/fhir/r4"),
        ("http://[::1]:9000/fhir", "__1/9000/fhir"),
    ],
)
def test_sarif_names_the_server_as_a_file_without_a_scheme(report: Report, server: str, file: str) -> None:
    """GitHub takes no file in which a result is somewhere else than in the repository."""
    (made,) = json.loads(FORMS["sarif"](replace(report, server=server)))["runs"]

    for each in made["results"]:
        (location,) = each["locations"]
        physical = {"artifactLocation": {"uri": file}, "region": {"startLine": 1}}
        assert location["physicalLocation"] == physical
        assert location["logicalLocations"][0]["fullyQualifiedName"] == server
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in made["results"]]
    assert len(set(prints)) == len(prints) > 0


HARMFUL = "HAPI\x1b[2J\x00\ud800\u202e 8.0"


@pytest.mark.parametrize("form", [*FORMS, "summary"])
def test_what_a_server_calls_itself_harms_no_terminal_no_file_and_no_parser(report: Report, form: str) -> None:
    text = {**FORMS, "summary": summary}[form](replace(report, says_it_is=HARMFUL, remains=(HARMFUL,)))

    assert not re.search("[\x00-\x08\x1b\ud800-\udfff\u202e]", text)
    assert "HAPI" in text or form == "sarif"
    if form == "junit":
        ElementTree.fromstring(text)


LEFT = ("Observation/made-7", "Patient?identifier=https://smartauth.example/probe|probe-1&<b>")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_what_the_probe_made_and_could_not_delete(report: Report, form: str) -> None:
    text = FORMS[form](replace(report, remains=LEFT))

    assert all(path in unescape(text) for path in LEFT)
    assert not any(path in unescape(FORMS[form](report)) for path in LEFT)
    assert form in ("json", "sarif") or "<b>" not in text  # what a server says is no markup


def test_junit_counts_what_is_left_behind_as_errors_and_sarif_tells_it_of_the_run(report: Report) -> None:
    left = replace(report, remains=LEFT)

    suites = ElementTree.fromstring(FORMS["junit"](left))
    assert sum(int(each.attrib["errors"]) for each in suites.iter("testsuite")) == len(LEFT)
    assert [each.attrib["name"] for each in suites.iter("testcase") if each.find("error") is not None] == list(LEFT)
    (notes,) = [
        each["toolExecutionNotifications"] for each in json.loads(FORMS["sarif"](left))["runs"][0]["invocations"]
    ]
    assert [path in note["message"]["text"] for path, note in zip(LEFT, notes, strict=True)] == [True, True]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_holds_a_token_or_more_of_a_record_than_its_id(report: Report, form: str) -> None:
    text = FORMS[form](report)

    # a token of the small server is JSON in base64, which begins so
    assert not re.search(r"eyJ[A-Za-z0-9_-]{8}", text)
    assert not any(word in text for word in ("Whitlock", "mrn-ben"))


def test_full_evidence_has_answers_as_they_came_says_so_and_cuts_tokens_all_the_same() -> None:
    text = FORMS["html"](report_of("open", full=True))

    assert "Holds answers as they came" in text
    assert "Shaw" in text
    assert not re.search(r"eyJ[A-Za-z0-9_-]{8}", text)


def test_the_summary_fits_a_screen_and_names_the_most_dangerous_first(report: Report) -> None:
    lines = summary(report).splitlines()

    assert len(lines) < 40
    first = lines[lines.index("What to fix first:") + 1]
    assert first.startswith(f"  {report.failed[0].check.id} ")
    assert [each.danger for each in report.failed] == sorted(each.danger for each in report.failed)


def test_what_changed_since_an_older_report_is_told_with_new_failures_first(report: Report, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(FORMS["json"](report_of()), encoding="utf-8")

    told = changes(report, read_outcomes(old))

    assert "no-token: passed, now failed" in told
    assert changes(report, read_outcomes_of(report, tmp_path)) == []


def read_outcomes_of(report: Report, folder: Path) -> dict[str, str]:
    file = folder / "same.json"
    file.write_text(FORMS["json"](report), encoding="utf-8")
    return dict(read_outcomes(file))


@pytest.mark.parametrize(
    "text",
    [
        "# ours\n- check: other-patient\n  reason: 'Our ids: no secret'\n  until: 2027-01-31\n\n- check: timing\n"
        "  until: 2026-11-28\n  reason: over\n",
        '[{"check": "other-patient", "reason": "Our ids: no secret", "until": "2027-01-31"}]',
    ],
    ids=["yaml", "json"],
)
def test_accepted_findings_are_read_until_their_day(text: str, tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(text, encoding="utf-8")

    assert read_accepted(file, TODAY) == {"other-patient": Accepted("Our ids: no secret", "2027-01-31")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- check: timing\n  until: 2027-01-31\n", "entry 1: reason is missing"),
        ("- check: timing\n  reason: x\n  until: soon\n", "entry 1: until is no date"),
        ("check: timing\n", "line 1"),
        ("nonsense\n", "line 1"),
        ("[", "accepted.yaml: "),
    ],
)
def test_what_cannot_be_accepted_is_said_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(Unreadable, match=re.escape(words)):
        read_accepted(file, TODAY)
