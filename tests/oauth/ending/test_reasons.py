"""Why access ended, in words: each reason that stands in a row has some, also one of an older version."""

import pytest

from oauth.ending.reasons import REASONS, UNKNOWN, EndedFor, reason


@pytest.mark.requirement("RV-08")
def test_every_reason_has_words_and_what_an_older_version_wrote_has_them_too() -> None:
    assert REASONS.keys() >= set(EndedFor)
    assert [reason(code) for code in ("revoked", "of an older version", "")] == [REASONS["revoked"], UNKNOWN, UNKNOWN]
