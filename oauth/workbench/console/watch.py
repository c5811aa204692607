"""Lets the console see answers as they leave, in development only."""

from oauth.http.watchers import machine_watchers, page_watchers
from oauth.workbench.console.machine_rows import note_answer
from oauth.workbench.console.page_rows import note_page


def watch() -> None:
    """From now on each request about a token leaves a row."""
    machine_watchers[:] = [note_answer]
    page_watchers[:] = [note_page]
