"""Asks one host and no other, one request at a time, no faster and no more than was allowed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from smartauth_probe.raw_http import NoAnswer, Response, send
from smartauth_probe.requests import Presentation
from smartauth_probe.segments import leads_up
from smartauth_probe.target.answer import Answer

SPARE = 500  # requests, and
SPARE_SECONDS = 60.0  # for what is undone in the end
NOT_SENT = Response(0, Answer(0).headers, b"")


class Stop(Exception):
    """Why nothing further is sent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_second` 0: as fast as the server answers. `seconds` are for one answer, `whole` for all."""

    requests: int = 5_000
    per_second: float = 0
    seconds: float = 15.0
    whole: float = 900.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with the name of its token, and what came back; None where nothing came, `problem` says why."""

    request: Presentation
    token: str
    answer: Answer | None
    problem: str = ""


@dataclass
class Client:
    """`exchanges` are those since somebody emptied them; `sent` counts all, `redirects` are of all.

    `broken` is a request of all that broke the server, if possible one whose answer holds a `trace`.
    """

    base: str
    limits: Limits = field(default_factory=Limits)
    accept: str = "application/fhir+json"
    is_dry: bool = False
    sent: int = 0
    unanswered: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    redirects: list[str] = field(default_factory=list)
    broken: str = ""
    trace: str = ""
    _began: float = field(default_factory=time.monotonic)
    _next: float = 0.0
    _sleep: Callable[[float], None] = time.sleep

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, by its name or address."""
        name = urlsplit(self.base).hostname or ""
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    def send(self, request: Presentation, token: str = "") -> Answer:
        """The answer to a request below the base. No redirect is followed. Raises NoAnswer, Stop."""
        accept = () if any(name.lower() == "accept" for name, _ in request.headers) else (("Accept", self.accept),)
        asked = replace(request, headers=(*accept, *request.headers))
        if self.is_dry:
            return self._record(asked, token, Answer.of(NOT_SENT, 0.0))
        self._wait()
        began = time.monotonic()
        try:
            response = send(self.base, asked, seconds=self.limits.seconds)
        except NoAnswer as problem:
            self.unanswered += 1
            self.exchanges.append(Exchange(asked, token, None, str(problem)))
            raise
        self.unanswered = 0
        return self._record(asked, token, Answer.of(response, time.monotonic() - began))

    @contextmanager
    def extended(self) -> Iterator[None]:
        """What is undone meanwhile has requests and time of its own: all that was allowed may be used up."""
        before = self.limits
        past = time.monotonic() - self._began
        self.limits = replace(before, requests=self.sent + SPARE, whole=past + SPARE_SECONDS)
        try:
            yield
        finally:
            self.limits = before

    def below_base(self, url: str) -> Presentation | None:
        """The request for an address that the server told, None where it is none, or may lead out of the base."""
        whole, base = _told_address(f"{self.base}/", url), urlsplit(self.base)
        if not url or whole is None or (whole.scheme, whole.netloc) != (base.scheme, base.netloc):
            return None
        path = whole.path.removeprefix(base.path)
        is_below = whole.path.startswith(base.path) and path[:1] in ("", "/")
        return Presentation(path.lstrip("/"), query=whole.query) if is_below and not leads_up(path) else None

    def _record(self, request: Presentation, token: str, answer: Answer) -> Answer:
        answer = replace(answer, asked=f"{request.path}?{request.query} {request.body}")
        self.exchanges.append(Exchange(request, token, answer))
        if answer.is_broken:
            self._remember_broken(request, answer)
        if answer.location:
            self._note_redirect(request, answer)
        return answer

    def _note_redirect(self, request: Presentation, answer: Answer) -> None:
        """Where it leads to another host, or nowhere."""
        target = _told_address(self.base, answer.location)
        if target is None or target.netloc != self.host:
            where = target.netloc if target else "what is no address"
            self.redirects.append(f"{request.method} {request.path}: {answer.status} to {where}")

    def _remember_broken(self, request: Presentation, answer: Answer) -> None:
        """The first of all, until one shows the program inside."""
        trace = "" if self.trace else answer.trace
        if trace or not self.broken:
            self.broken, self.trace = f"{request.method} {request.path}: {answer.status}", trace

    def _wait(self) -> None:
        if self.sent >= self.limits.requests:
            raise Stop(f"{self.sent} requests were sent, and no more are allowed (--most-requests)")
        if time.monotonic() - self._began > self.limits.whole:
            raise Stop(f"{self.limits.whole:g} seconds are over (--most-seconds)")
        self.sent += 1
        if self.limits.per_second:
            now = time.monotonic()
            if self._next > now:
                self._sleep(self._next - now)
            self._next = max(now, self._next) + 1 / self.limits.per_second


def _told_address(base: str, url: str) -> SplitResult | None:
    """The parts of an address that the server told, None where it is none."""
    try:
        return urlsplit(urljoin(base, url))
    except ValueError:
        return None
