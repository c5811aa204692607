"""What a kind of event means for an operator, and how a person reads it."""

import pytest

from audit.event_kinds import EventKind, Result, kinds_of, label, result_of


def test_every_kind_has_one_result() -> None:
    assert sorted(kind for result in Result for kind in kinds_of(result)) == sorted(EventKind)
    assert EventKind.ISSUED in kinds_of(Result.DONE)
    assert EventKind.CODE_REPLAYED in kinds_of(Result.ODD)


@pytest.mark.parametrize(
    ("kind", "result"),
    [("issued", "done"), ("code-refused", "refused"), ("tampered", "odd"), ("of an older version", "done")],
)
def test_what_an_older_version_recorded_counts_as_done(kind: str, result: str) -> None:
    assert result_of(kind) == result


def test_a_person_reads_words() -> None:
    assert label("code-of-another-client") == "Code of another client"
