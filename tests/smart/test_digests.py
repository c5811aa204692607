"""What is drawn at random: secrets, codes, handles and tokens."""

import re

import pytest

from smart.digests import random_token


@pytest.mark.requirement("WF-10")
def test_a_random_token_is_256_bits_and_no_command_takes_it_for_an_option() -> None:
    drawn = {random_token() for _ in range(2_000)}

    assert len(drawn) == 2_000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{42}", each) for each in drawn)
