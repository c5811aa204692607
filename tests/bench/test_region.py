"""What `python -m bench.region` computes is what docs/scale.md shows."""

from dataclasses import replace

import pytest

from bench.region import COSTS, Region, a_day, lines, rows
from tests.running import ROOT

pytestmark = pytest.mark.one_engine


def test_the_page_shows_what_the_program_prints() -> None:
    printed = "\n".join(lines(Region()))

    assert printed in (ROOT / "docs/scale.md").read_text(encoding="utf-8"), "python -m bench.region prints it anew"


def test_every_request_of_the_region_has_a_measured_cost() -> None:
    assert a_day(Region()).keys() == COSTS.keys()


def test_twice_the_people_launch_twice_as_often_and_services_do_not() -> None:
    one, two = a_day(Region()), a_day(replace(Region(), people=2 * Region.people))

    assert two["refresh"] == 2 * one["refresh"]
    assert two["client_credentials with a secret"] == one["client_credentials with a secret"]


def test_without_people_there_are_rows_of_services_only() -> None:
    empty = rows(replace(Region(), people=0))

    assert {what for what, count in empty.items() if count} == {"access token", "security event"}
