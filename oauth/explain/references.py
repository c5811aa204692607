"""What a reference leads to: its events, and in development also one of the latest refusals (AZ-25)."""

import re
from dataclasses import dataclass, replace

from django.db.models import Q

from accounts.rate_limit import without_number
from audit.event_kinds import EventKind, Result, result_of
from audit.models import Event
from audit.reading import newest_events
from oauth.explain.judgement import Judgement
from oauth.http.explanations import latest_explanation
from oauth.models import parse_reference, public_reference
from smart.authorize.error_pages import Unredirectable
from smart.explanation import Explanation

MOST = 50
_DENIED = {
    "access_denied": "the person did not allow access, or there is no record that they may share",
    "refused before": "the request had been refused before its person signed in",
}


# such as "AZ-05 E4: redirect_uri is not registered; sent https://...": what is now in columns of the event
_OLD_REASON = re.compile(r"(?P<rule>[A-Z]+-\d+)? ?(?P<case>E\d+[a-z]?)?: (?P<what>.*?)(?:; sent (?P<sent>.*))?")


@dataclass(frozen=True, slots=True)
class FoundRefusal:
    """A refusal and the events under its reference, oldest first; none where it left no event.

    `token` is one that has the same number: requests and tokens are counted apart.
    """

    explanation: Explanation
    events: tuple[Event, ...] = ()
    token: Judgement | None = None

    @property
    def event(self) -> Event | None:
        """The one that tells of the refusal."""
        return next((event for event in reversed(self.events) if _explanation(event)), None)


def find_refusal(reference: str) -> FoundRefusal | None:
    """The refusal with that reference; None where none is kept under it, or it is no reference at all."""
    number = parse_reference(reference)
    if number is None:
        return None
    name = public_reference(number)
    events = tuple(newest_events(Q(reference=name), at_most=MOST))
    kept = next((why for event in reversed(events) if (why := _explanation(event))), None)
    latest = latest_explanation(name)
    if kept is None or latest is None:
        why = kept or latest
    else:  # what is remembered says more, also of what was sent, which stays as it is kept
        why = replace(latest, presented=kept.presented or latest.presented, since=latest.since or kept.since)
    return FoundRefusal(replace(why, reference=name), events) if why else None


def _explanation(event: Event) -> Explanation | None:
    """What an event says of a refusal, None of one that is none."""
    if result_of(event.kind) is Result.DONE:
        return None
    if event.rule:
        what = without_number(event.reason)
        return Explanation(event.rule, what, event.presented, since=event.at, case=event.case)
    if event.kind == EventKind.CHOICE_TAMPERED:  # of an earlier version
        return replace(Unredirectable("E30", event.reason).explanation, since=event.at)
    if (parsed := _parse_old_reason(event.reason)) is not None:
        return replace(parsed, since=event.at)
    return Explanation("", _DENIED.get(event.reason, event.reason), since=event.at)


def _parse_old_reason(reason: str) -> Explanation | None:
    """What an event of an earlier version says in its reason, None for another text."""
    parts = _OLD_REASON.fullmatch(without_number(reason))
    if parts is None:
        return None
    found = parts.groupdict(default="")
    return Explanation(found["rule"], found["what"], found["sent"], case=found["case"])
