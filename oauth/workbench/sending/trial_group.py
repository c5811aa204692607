"""The kinds of a group, tried one after the other, in bounded time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from oauth.workbench.memory.results import Result
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.from_form import NoToken
from oauth.workbench.sending.trial import is_sendable, try_kind
from smartauth_probe.kinds import Group, Kind
from smartauth_probe.raw_http import NoAnswer

SECONDS = 30.0  # after which no further kind of a group is begun
MOST_UNANSWERED = 3  # in a row: then the server is not there
OF_THE_KIND = ("", "kind", "bad")  # what is wrong with one kind, and not with the form


@dataclass(frozen=True, slots=True)
class Attempt:
    """A kind with its result, or the reason why there is none."""

    kind: Kind
    result: Result | None = None
    why_not: str = ""
    is_unanswered: bool = False


def try_one(form: TokenForm, kind: Kind) -> Attempt:
    """Raises NoToken where the form itself is wrong."""
    try:
        return Attempt(kind, try_kind(form, kind.name).result)
    except NoAnswer as problem:
        return Attempt(kind, why_not=f"{problem}.", is_unanswered=True)
    except NoToken as problem:
        if problem.field not in OF_THE_KIND:
            raise
        return Attempt(kind, why_not=str(problem))


def try_group(form: TokenForm, group: Group) -> Iterator[Attempt]:
    """Each kind of it that a GET can carry. Raises NoToken where the form itself is wrong."""
    deadline, unanswered = time.monotonic() + SECONDS, 0
    for kind in group.kinds:
        if not is_sendable(kind):
            continue
        if unanswered == MOST_UNANSWERED or time.monotonic() > deadline:
            yield Attempt(kind, why_not="Not sent: the time for one page was over, or the server does not answer.")
            continue
        tried = try_one(form, kind)
        unanswered = unanswered + 1 if tried.is_unanswered else 0
        yield tried
