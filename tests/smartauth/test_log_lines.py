"""What a failure leaves in the log."""

import logging
import sys

import pytest

from smartauth.log_lines import FramesOnlyFormatter


def raised(message: str) -> logging.LogRecord:
    """The record of an exception that another one led to; both say more than a log may hold."""
    try:
        try:
            raise KeyError(message)
        except KeyError as error:
            raise ValueError(f"{message} again") from error
    except ValueError:
        return logging.LogRecord("smartauth", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())


@pytest.mark.requirement("SD-11", "SB-04")
def test_an_exception_is_told_by_kind_and_place_without_its_message() -> None:
    line = FramesOnlyFormatter("%(message)s").format(raised("DETAIL: Key (username)=(amy.shaw) already exists"))

    assert "amy.shaw" not in line
    assert line.index("builtins.KeyError") < line.index("builtins.ValueError")
    assert line.count(f'File "{__file__}"') == 2


def test_development_shows_the_message_too() -> None:
    line = FramesOnlyFormatter("%(message)s", messages=True).format(raised("DETAIL: Key (username)=(amy.shaw)"))

    assert "amy.shaw" in line
