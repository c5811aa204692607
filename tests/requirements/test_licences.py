"""docs/licences.md: each package that smartauth needs has a licence that somebody can look up."""

import pytest
from cyclonedx.spdx import is_expression

from requirements import licences
from requirements.lock import Lock

pytestmark = pytest.mark.one_engine


def test_the_page_is_what_the_lock_and_the_packages_say() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


def test_every_licence_is_an_expression_of_spdx() -> None:
    assert [name for name in Lock().packages if not is_expression(licences.licence(name))] == []


def test_what_a_package_says_exactly_is_not_said_again() -> None:
    assert {name for name in Lock().packages if not licences.declared(name)} == {*licences.READ}


def test_what_comes_with_an_extra_is_told_from_what_is_always_there() -> None:
    lock = Lock()

    assert {name: lock.extras_of(name) for name in ("django", "psycopg-binary", "async-timeout", "kombu")} == {
        "django": [], "psycopg-binary": ["postgresql"], "async-timeout": ["redis"], "kombu": [],
    }  # fmt: skip
