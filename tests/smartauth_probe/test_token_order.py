"""What a token may be ordered to be stands once: door, description, form, command and plugin have the same members."""

import re

import pytest

from oauth.management.verbs.tokens import TOKEN
from oauth.workbench.api.openapi import description
from oauth.workbench.orders.changes import parse_changes
from oauth.workbench.orders.form import FIELDS
from smartauth_probe.token_order import CHANGES, LAUNCH, MEMBERS, TEXTS, Order
from tests.running import ROOT

pytestmark = pytest.mark.one_engine


def test_every_member_has_a_type_and_a_sentence() -> None:
    assert {*TEXTS, *CHANGES} == set(MEMBERS) == {*Order.__annotations__, "bad"}
    assert all(member.sentence.endswith(".") for member in MEMBERS.values())


def test_the_command_takes_every_member_by_its_sentence() -> None:
    options = {argument.name.lstrip("-"): argument.help for argument in TOKEN.arguments}
    members = {"claim" if name == "claims" else name: member.sentence for name, member in MEMBERS.items()}

    assert members.items() <= options.items()
    assert set(options) - set(members) == {"list", "json"}


def test_the_description_has_every_member_by_its_sentence() -> None:
    order = description()["components"]["schemas"]["Order"]["properties"]

    assert {name: each["description"] for name, each in order.items()} == {
        name: member.sentence for name, member in MEMBERS.items()
    }


def test_the_form_has_what_a_launch_would_settle_and_what_can_be_changed() -> None:
    assert set(FIELDS) == {*LAUNCH, *CHANGES, "no_patient"} - {"without"}  # a line with a minus before it
    assert parse_changes({}).__slots__ == CHANGES


def test_the_documentation_has_a_row_for_every_member() -> None:
    page = (ROOT / "docs" / "bad-tokens.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("| Member | Meaning |")[2].partition("\n\n")[0], re.M)

    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(MEMBERS)
