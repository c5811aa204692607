"""How log lines are written, and which are: an exception by kind and place, never by its message (SD-11)."""

import logging
import traceback
from http import HTTPStatus
from types import TracebackType
from typing import Any

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class FramesOnlyFormatter(logging.Formatter):
    """A message may hold what was sent or stored, as PostgreSQL's details do; development shows it all the same."""

    def __init__(self, *args: Any, messages: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._messages = messages

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  # logging's own name
        if self._messages or ei[1] is None:
            return super().formatException(ei)
        return "\n".join(_frames(error) for error in _exception_chain(ei[1]))


def _exception_chain(error: BaseException) -> list[BaseException]:
    """The exceptions that led to this one, the first of them first, as a traceback shows them."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*(_exception_chain(before) if before else []), error]


def _frames(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__module__}.{type(error).__qualname__}"


class ServerFailuresOnly(logging.Filter):
    """Of what Django says about requests only failures of ours, without the path: the request's own line has the rest.

    What a caller sent wrong is no failure: its exception repeats what was sent, as often as somebody likes.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "a request failed", ()
        status = getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR)
        return bool(record.exc_info) and status >= HTTPStatus.INTERNAL_SERVER_ERROR
