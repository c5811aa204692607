"""What the answer of a FHIR server to a bad token is worth: pure, beside its answer to the good twin."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from smartauth_probe.kinds import Kind
from smartauth_probe.received import Received, is_outcome

OK = 200
REFUSED = frozenset({401, 403})


class Outcome(StrEnum):
    PASSED = "good"
    FAILED = "bad"
    NOT_CHECKED = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule: what it demands, and what came back where that is something else."""

    outcome: Outcome
    rule: str
    expected: str = ""
    received: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """In a sentence, and rule by rule."""

    title: str
    lead: str
    outcome: Outcome
    findings: tuple[Finding, ...]


def judge(kind: Kind, twin: Received, answer: Received) -> Verdict:
    """The verdict about the answer to a token of that kind, after the good twin was sent."""
    if twin.status != OK:
        lead = "The good twin was not let in, so the answer to this one proves nothing."
        finding = Finding(Outcome.FAILED, "The good twin must be let in", "200", str(twin.status))
        return Verdict("This says nothing yet", lead, Outcome.NOT_CHECKED, (finding,))
    alone = judge_alone(kind, answer)
    let_in = Finding(Outcome.PASSED, "The good twin was let in first, with 200.")
    return replace(alone, findings=(let_in, *alone.findings))


def judge_alone(kind: Kind, answer: Received, *, of_unknown_id: int = 404) -> Verdict:
    """The verdict where somebody else looks after the good twin.

    `of_unknown_id` is what this server answers to an id that never existed.
    """
    if answer.status in kind.not_applicable and not _holds_data(answer):
        return _not_applicable_verdict(answer)
    if _is_by_policy(kind, answer):
        return _policy_verdict(kind, answer)
    is_status_right = kind.answer.is_met_by(answer.status, of_unknown_id=of_unknown_id)
    findings = tuple(_findings(kind, answer, is_status_right))
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    title, lead = _words(kind, answer, is_status_right, is_right=not failed)
    return Verdict(title, lead, Outcome.FAILED if failed else Outcome.PASSED, findings)


def _is_by_policy(kind: Kind, answer: Received) -> bool:
    """Whether the server decided what `policy` of this kind lets it decide: no hole, and no fault."""
    return bool(kind.policy) and (answer.status in REFUSED if kind.is_good else answer.status == OK)


def _policy_verdict(kind: Kind, answer: Received) -> Verdict:
    title = "Your server refused it" if kind.is_good else "Your server let it in"
    policy = kind.policy.replace("`", "")
    finding = Finding(Outcome.NOT_CHECKED, f"The status is {answer.status}, which is a matter of policy: {policy}")
    return Verdict(title, f"That may be a matter of policy: {policy}", Outcome.NOT_CHECKED, (finding,))


def _not_applicable_verdict(answer: Received) -> Verdict:
    rule = f"The status is {answer.status}: a server that takes no such request looks at no token in it"
    finding = Finding(Outcome.NOT_CHECKED, rule)
    title, lead = "Your server takes no such request", "This kind does not apply to it."
    return Verdict(title, lead, Outcome.NOT_CHECKED, (finding,))


def _holds_data(answer: Received) -> bool:
    return bool(answer.resource) and not is_outcome(answer.resource)


def _words(kind: Kind, answer: Received, is_status_right: bool, *, is_right: bool) -> tuple[str, str]:
    if kind.is_good:
        return ("Your server let it in, as it must", "") if is_right else ("Your server refused a good token", "")
    if answer.status == OK:
        return "Your server let it in", "It must not."
    if not is_status_right:
        return f"Your server answered {answer.status}", "It did not let the token in, and did not say what it must."
    if not is_right:
        return "Your server refused it, but not as it must", ""
    if answer.is_unread:
        return "Your server refused it", "What is in the body could not be read."
    return "Your server refused it", "That is the answer that it must get."


def _findings(kind: Kind, answer: Received, is_status_right: bool) -> Iterator[Finding]:
    yield _status(kind, answer, is_status_right)
    if kind.is_good:
        return
    yield _data(answer)
    yield _challenge(kind, answer)


def _status(kind: Kind, answer: Received, is_right: bool) -> Finding:
    if is_right:
        return Finding(Outcome.PASSED, f"The status is {answer.status}.")
    expected = " or ".join(str(status) for status in sorted(kind.answer.statuses))
    return Finding(Outcome.FAILED, f"The status must be {expected}", expected, str(answer.status))


def _data(answer: Received) -> Finding:
    """Whether something came beside the refusal; what could not be read is left to the reader."""
    if _holds_data(answer):
        rule = "The answer must hold no data of a patient"
        return Finding(Outcome.FAILED, rule, "an OperationOutcome or nothing", answer.resource)
    if answer.is_unread:
        return Finding(Outcome.NOT_CHECKED, "The body could not be read as a resource: look for data in it yourself")
    return Finding(Outcome.PASSED, "The answer holds no data of a patient.")


def _challenge(kind: Kind, answer: Received) -> Finding:
    """Which error WWW-Authenticate names (RFC 6750 §3.1)."""
    if answer.status not in kind.answer.errors:
        return Finding(Outcome.NOT_CHECKED, "WWW-Authenticate: nothing is demanded of it with this status")
    error = kind.answer.errors[answer.status]
    if answer.error == error:
        return Finding(Outcome.PASSED, f"WWW-Authenticate names {error or 'no error'}.")
    expected = f'Bearer error="{error}"' if error else "Bearer, without an error"
    return Finding(
        Outcome.FAILED, "WWW-Authenticate must say what is wrong", expected, answer.challenge or "no such header"
    )
