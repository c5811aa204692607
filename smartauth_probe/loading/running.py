"""A probe whose records are loaded where that was asked for, and deleted however the run ends."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from smartauth_probe.loading.load import CannotLoad, Loaded
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.target.client import Stop
from smartauth_probe.target.discovery import CouldNotRun, find_records
from smartauth_probe.target.named_records import NamedRecords
from smartauth_probe.target.probe import Probe


@contextmanager
def loaded(probe: Probe, patients: Sequence[str] = ()) -> Iterator[Probe]:
    """With two patients of its own, which are deleted in the end; what stays is in `remains`. Raises CouldNotRun."""
    made = Loaded(probe)
    try:
        yield find_records(probe, named=_load(made, patients))
    finally:
        with suppress(KeyboardInterrupt):  # pressed again: what stays is named
            made.delete_all()


def _load(made: Loaded, patients: Sequence[str]) -> NamedRecords:
    try:
        named = made.load(patients)
    except (CannotLoad, NoAnswer, Stop) as reason:
        raise CouldNotRun(str(reason)) from None
    if not made.probe.client.is_dry:
        made.probe.source.know_patients(*named)
    return named


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """SIGTERM, as a CI system sends it, ends the run as Ctrl-C does: with a report, and nothing left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
