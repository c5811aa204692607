"""Which engine a database has."""

import pytest

from accounts.engine import is_on_postgresql


@pytest.mark.parametrize("alias", ["default", "audit"])
def test_each_database_is_known_by_its_engine(alias: str, vendor: str) -> None:
    assert is_on_postgresql(alias) is (vendor == "postgresql")
