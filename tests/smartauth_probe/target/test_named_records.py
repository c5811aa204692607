"""Patients and records that a file names, in place of those that the probe finds."""

import re
from pathlib import Path

import pytest

from smartauth_probe.entries import Unreadable
from smartauth_probe.target.discovery import CouldNotRun, prepare
from smartauth_probe.target.named_records import read_named_records
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
YAML = """
# A first, then B
- patient: ben
  records: [Observation/ben-vital, Observation/ben-lab]
- patient: amy
  records: Condition/amy-condition
"""
JSON = """[{"patient": "ben", "records": ["Observation/ben-vital", "Observation/ben-lab"]},
           {"patient": "amy", "records": ["Condition/amy-condition"]}]"""
NAMED = {"ben": ("Observation/ben-vital", "Observation/ben-lab"), "amy": ("Condition/amy-condition",)}


@pytest.mark.parametrize("text", [YAML, JSON])
def test_a_file_names_two_patients_and_their_records(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fixture"
    file.write_text(text, encoding="utf-8")

    found = read_named_records(file)

    assert (found, list(found)) == (NAMED, ["ben", "amy"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- patient: amy", "names 1 patients: it takes two"),
        ("- records: Observation/1", "entry 1: patient is missing"),
        ("- patient: amy\n  records: Observation", "entry 1: Observation is no record such as Observation/1"),
        ("- patient: amy\n  records: Observation/../Patient", "is no record such as Observation/1"),
        ("patients", "line 1: it takes - patient: ID"),
        ("[", "fixture: "),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "fixture"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(Unreadable, match=re.escape(words)):
        read_named_records(file)


def test_the_named_records_are_those_of_the_checks_and_nothing_is_searched() -> None:
    client = client_of()

    probe = prepare(client, OpenTokens(), named=NAMED)

    assert (probe.a.id, probe.b.id) == ("ben", "amy")
    assert {kind: [each.id for each in found] for kind, found in probe.a.records.items()} == {
        "Observation": ["ben-vital", "ben-lab"]
    }
    assert probe.b.first("Condition").content["subject"] == {"reference": "Patient/amy"}
    assert [each for each in client.exchanges if each.request.path in ("Observation", "Condition", "Patient")] == []


def test_a_record_that_its_patient_cannot_read_is_no_fixture() -> None:
    named = {**NAMED, "amy": ("Condition/ben-condition",)}

    with pytest.raises(CouldNotRun, match="The fixture names Condition/ben-condition, and a token for its patient amy"):
        prepare(client_of(), OpenTokens(), named=named)
