"""One kind of token, tried at the FHIR server that it is for: its good twin goes first, and the result is kept."""

from dataclasses import dataclass
from typing import Any

from accounts import clock
from oauth.workbench.memory.questions import Question, question_about
from oauth.workbench.memory.results import GOOD, Result, remember_result
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.from_form import NoToken, create_from_form
from oauth.workbench.orders.ordered_token import OrderedToken
from oauth.workbench.sending.exchange import can_be_sent, send
from smartauth_probe.catalogue import kinds
from smartauth_probe.kinds import Kind
from smartauth_probe.received import Received
from smartauth_probe.requests import presentation
from smartauth_probe.verdict import OK, Outcome, Verdict, judge

TWIN_SECONDS = "300"
NOT_SENT = "This page sends what a GET can carry only; your test can send this one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was sent, what came back, what that is worth, and whether the server asked about the token meanwhile."""

    made: OrderedToken
    members: dict[str, Any]
    answer: Received
    verdict: Verdict
    question: Question | None

    @property
    def result(self) -> Result:
        asked = self.question is not None
        return Result(self.answer.status, self.verdict.outcome, self.verdict.title, asked, clock.now())


def is_sendable(kind: Kind) -> bool:
    """Whether a GET can carry such a token."""
    return can_be_sent(presentation(kind.name, "token", "patient"))


def try_kind(form: TokenForm, name: str) -> Trial:
    """New tokens for the form, both presented. Raises NoToken or NoAnswer."""
    kind = kinds().get(name)
    if name in ("", GOOD) or (kind and not is_sendable(kind)):
        raise NoToken(f"{NOT_SENT}.", "kind")
    made, members = create_from_form(form, name)
    assert made.kind is not None  # noqa: S101  # it was ordered by its name
    base, twin = made.server.base, _order_twin(form)
    good = send(base, twin.presentation)
    _remember_twin(base, good, twin)
    answer = send(base, made.presentation)
    verdict = judge(made.kind, good, answer)
    trial = Trial(made=made, members=members, answer=answer, verdict=verdict, question=question_about(made.token))
    remember_result(base, name, trial.result)
    return trial


def _order_twin(form: TokenForm) -> OrderedToken:
    """A good token for the same that supersedes nothing: one whose life is named has no seat. Raises NoToken."""
    seconds = form.sent["lifetime"] or TWIN_SECONDS
    twin, _ = create_from_form(TokenForm({**form.sent, "claims": "", "header": "", "lifetime": seconds}), GOOD)
    return twin


def _remember_twin(base: str, received: Received, twin: OrderedToken) -> None:
    outcome = Outcome.PASSED if received.status == OK else Outcome.FAILED
    title = "Your server let it in" if received.status == OK else "Your server refused a good token"
    was_asked = question_about(twin.token) is not None
    remember_result(base, GOOD, Result(received.status, outcome, title, was_asked, clock.now()))
