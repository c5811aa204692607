"""A server whose data was copied is like one whose data was made for it."""

from collections.abc import Iterator

import pytest

from tests.running import NOT_SEEDED, ROOT, Server
from tests.tables import rows


@pytest.fixture
def copied() -> Iterator[Server]:
    """Prepared, not started."""
    made = Server()
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def test_a_copy_has_what_the_seed_file_says_for_its_own_issuer(copied: Server) -> None:
    said = copied.manage("seed", str(ROOT / "smartauth.yaml"))

    assert said.strip() == "nothing to change"
    bases = {(f"{copied.url}/fhir/{version}",) for version in ("r4", "stu3", "dstu2")}
    assert set(rows(copied, "main", "SELECT base FROM oauth_fhirserver")) == bases
    assert set(rows(copied, "main", "SELECT fhir_server FROM audit_outboxevent WHERE fhir_server <> ''")) == bases


@pytest.mark.parametrize("name", ["SMARTAUTH_ISSUER", "SMARTAUTH_DEV", "SMARTAUTH_KEY_ENCRYPTION_KEYS"])
def test_what_is_seeded_under_other_settings_is_no_copy(name: str) -> None:
    other = Server()
    other.environment[name] = "other"

    changed = other._changed()

    other.remove()
    assert changed == {name}
    assert not changed <= NOT_SEEDED
