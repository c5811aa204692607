"""What a first start draws for itself."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smartauth.first_start import read_or_create_secret


@pytest.mark.requirement("SB-07")
def test_a_secret_is_drawn_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret-key"

    first, second = read_or_create_secret(path), read_or_create_secret(path)

    assert first == second
    Fernet(first)  # raises for what is no key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.requirement("SB-07")
def test_a_process_with_the_same_id_in_another_container_keeps_what_it_has_drawn(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    theirs = tmp_path / "theirs"
    theirs.write_text("drawn by the other one")
    os.link(theirs, tmp_path / f"secret-key.{os.getpid()}")  # its draft, linked into place but not yet unlinked

    read_or_create_secret(path)

    assert theirs.read_text() == "drawn by the other one"
