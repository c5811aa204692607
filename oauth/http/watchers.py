"""Who looks at answers as they leave: the workbench of a development server. Elsewhere nobody, which costs nothing."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from oauth.http.asgi import Scope
from oauth.http.machine_response import MachineResponse

log = logging.getLogger("smartauth.watchers")

WatchMachine = Callable[[Scope, MachineResponse, int], None]
WatchPage = Callable[[HttpRequest, HttpResponse, int], None]
machine_watchers: list[WatchMachine] = []
page_watchers: list[WatchPage] = []


def tell_machine_watchers(scope: Scope, answer: MachineResponse, took: int) -> None:
    """The answer of the machines' side to that request, and how many microseconds it took."""
    for watch in machine_watchers:
        try:
            watch(scope, answer, took)
        except Exception:
            log.exception("%s was not noted", scope["path"])


def tell_page_watchers(request: HttpRequest, response: HttpResponse, took: int) -> None:
    """The same for the people's side."""
    for watch in page_watchers:
        try:
            watch(request, response, took)
        except Exception:
            log.exception("a request was not noted")
