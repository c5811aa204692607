"""Seed files have passwords, and hashing them well takes long."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """Argon2 is not what these tests look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
