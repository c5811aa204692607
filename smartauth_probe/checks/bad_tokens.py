"""A check for each kind of the catalogue (docs/specification/bad-tokens.md), sent to the record of patient A."""

from collections.abc import Callable

from smartauth_probe.catalogue import groups
from smartauth_probe.checks.check import Check, Danger, Result, Section, failed, passed, policy
from smartauth_probe.kinds import Kind
from smartauth_probe.listener import listener
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe
from smartauth_probe.verdict import Finding, Outcome, judge_alone

SECTION = Section("tokens", "Bad tokens", "Every kind of the catalogue, sent to the record of patient A")
CALLS_OUT = frozenset({"kid-url", "jku", "x5u"})
NAMED = "--patients with ids that the authorization server knows"
PEOPLE = "Who holds such a token reads records that nobody opened for them."
PEOPLE_OF_TWINS = "People whose app does everything right see nothing."


def _check(kind: Kind) -> Check:
    return Check(
        id=kind.id,
        name=kind.name,
        section=SECTION.key,
        title=f"{'Let in' if kind.is_good else 'Refused'}: {_plain(kind.wrong)}",
        headline=f"{'Refused' if kind.is_good else 'Let in'}: {_plain(kind.wrong).rstrip('.')}",
        why=f"{_plain(kind.remedy.why)} {PEOPLE_OF_TWINS if kind.is_good else PEOPLE}",
        fix=_plain(kind.remedy.fix),
        source=kind.source,
        run=_calls_nobody(kind) if kind.name in CALLS_OUT else lambda probe: _judge(kind, *_present(kind, probe)),
        usual=_plain(kind.policy),
    )


def _present(kind: Kind, probe: Probe, listens_at: str = "") -> tuple[Answer, int, str]:
    bad = probe.bad_token(kind.name, listens_at)
    if kind.is_good and bad.request.path.startswith("Patient/") and bad.request.path != probe.a.path:
        raise Skip(f"The token is for {bad.request.path}, who is not the patient here.", NAMED)
    return probe.present(bad), probe.status_of_unknown_id, bad.value


def _judge(kind: Kind, answer: Answer, of_unknown_id: int, token: str) -> Result:
    verdict = judge_alone(kind, answer.received, of_unknown_id=of_unknown_id)
    if verdict.outcome is Outcome.NOT_CHECKED:
        if answer.status in kind.not_applicable:
            raise Skip(f"The server takes no such request: it answered {answer.status}.")
        return policy(f"It answered {answer.status}.")
    if verdict.outcome is Outcome.FAILED:
        return _failure(kind, answer, [each for each in verdict.findings if each.outcome is Outcome.FAILED])
    if token and token.encode() in answer.content:
        return failed("The answer repeats the token, and answers are logged.", "no token", "the token", Danger.FORM)
    return passed(f"It answered {answer.status}.")


def _failure(kind: Kind, answer: Answer, findings: list[Finding]) -> Result:
    expected = "; ".join(each.expected for each in findings)
    received = "; ".join(each.received for each in findings)
    is_open = not kind.is_good and (answer.is_ok or answer.holds_data)
    seen = f"It answered {answer.status}: {'the token is let in' if is_open else findings[0].rule.lower()}."
    return failed(seen, expected, received, Danger.RECORDS if is_open else Danger.FORM)


def _calls_nobody(kind: Kind) -> Callable[[Probe], Result]:
    """The token leads to a listener of ours, which nobody may call (RFC 8725 §3.10)."""

    def run(probe: Probe) -> Result:
        with listener() as (url, calls):
            result = _judge(kind, *_present(kind, probe, url if probe.is_loopback else ""))
            if calls:
                return failed("The server went where the token led it.", "no call", calls[0], Danger.RECORDS)
        return result

    return run


def _plain(text: str) -> str:
    return text.replace("`", "")


SECTION.checks.extend(_check(kind) for group in groups() for kind in group.kinds)
