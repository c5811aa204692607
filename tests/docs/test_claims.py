"""The page about claims says what the data files say."""

import json

import pytest

from smart.tokens.claim_mapping import FORMS, MAX_CLAIMS, parse_mapping
from smart.tokens.claim_profiles import profiles
from tests.docs.pages import blocks
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

PAGE = ROOT / "docs/reference/claims.md"
TEXT = PAGE.read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below that heading, without its head."""
    lines = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| `")]


def test_the_table_of_profiles_is_the_data_file() -> None:
    told = rows("Claim profiles")

    kept = [
        [profile, claim, rule.get("from", ""), rule.get("as", json.dumps(rule.get("value")))]
        for profile, rules in profiles().items()
        for claim, rule in rules.items()
    ]
    assert [row for row in told if row[1]] == kept
    assert {row[0] for row in told} == set(profiles())


def test_every_profile_with_claims_is_explained() -> None:
    for profile in (name for name, rules in profiles().items() if rules):
        assert f"\n### `{profile}`: " in TEXT, profile


def test_the_table_of_sources_is_what_a_mapping_may_name() -> None:
    told = {source: tuple(forms.replace("`", "").split(", ")) for source, _, forms in rows("A mapping of your own")}

    assert told == FORMS
    assert f"At most {MAX_CLAIMS} claims" in TEXT


@pytest.mark.parametrize("text", [block.text for block in blocks(PAGE) if block.language == "json"])
def test_the_example_is_a_mapping(text: str) -> None:
    assert set(parse_mapping(text)) == {"patient_id", "record", "scp", "roles"}
