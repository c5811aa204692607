"""Lets console and memory see answers as they leave, in development only."""

from oauth.http.watchers import machine_watchers, page_watchers
from oauth.workbench.console.machine_rows import note_answer
from oauth.workbench.console.page_rows import note_page
from oauth.workbench.memory.questions import remember_question
from oauth.workbench.memory.reports import remember_report
from oauth.workbench.memory.told import remember_told


def watch() -> None:
    """From now on each request about a token leaves a row; who asked about which, and what came of it, is kept."""
    machine_watchers[:] = [note_answer, remember_question, remember_told]
    page_watchers[:] = [note_page, remember_report]
