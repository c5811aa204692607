"""What several checks demand of an answer, each as a result in words."""

import re
from collections.abc import Callable, Mapping

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import of_both, of_others
from smartauth_probe.target.probe import NOT_DONE, Probe

INSUFFICIENT_SCOPE = "insufficient_scope"
# what changes from answer to answer by itself
VOLATILE = frozenset({"date", "age", "server-timing", "x-request-id", "x-correlation-id", "request-id", "traceparent"})
LENGTHS = frozenset({"content-length", "transfer-encoding"})
# of these the values must not differ either
SAID = (
    "allow", "cache-control", "content-location", "content-type", "etag", "last-modified", "retry-after", "vary",
    "www-authenticate",
)  # fmt: skip
_NAMES = re.compile(r"[\w.-]+")
_CHANGING = re.compile(r"\S*\d\S*")  # a time, a reference of this one answer


def must_be_served(answer: Answer, what: str) -> Result:
    """Somebody who may gets what they ask for."""
    if answer.is_ok:
        return passed(f"{what}: {answer}.")
    return failed(f"{what} is refused to somebody who may.", "200", str(answer), Danger.FORM)


def must_lack_scope(answer: Answer, what: str, danger: Danger | None = None) -> Result:
    """403 before anything is looked up, with the error that says why (RFC 6750 §3.1)."""
    if answer.is_ok:
        return failed(f"{what}: done, and the token has no scope for it.", "403", str(answer), danger)
    if answer.holds_data:
        return failed(f"{what}: refused, but something came beside the refusal.", "no data", str(answer), danger)
    if answer.status == 403:
        error = answer.received.error
        if error in (INSUFFICIENT_SCOPE, None):
            return passed(f"{what}: 403.")
        return policy(f"{what}: 403, and the challenge names {error or 'no error'} in place of {INSUFFICIENT_SCOPE}.")
    if answer.status >= 500 and answer.status not in NOT_DONE:
        return failed(f"{what}: the server broke.", "403", str(answer), Danger.FORM)
    return policy(f"{what}: refused with {answer.status}; 403 would say that a scope is missing.")


def must_be_alike(hidden: Answer, unknown: Answer, what: str) -> Result:
    """A record out of reach is answered like an id that never existed: status, headers and form of the body."""
    if hidden.is_ok and hidden.holds_data and not unknown.holds_data:
        return failed(f"{what} comes out.", f"as an unknown id: {unknown}", str(hidden), Danger.RECORDS)
    if hidden.status != unknown.status:
        both = f"{hidden.status} and {unknown.status}"
        return failed(f"{what} is told apart from an unknown id.", "the same twice", both, Danger.EXISTENCE)
    if differing := sorted(_headers(hidden) ^ _headers(unknown)):
        seen = f"{what} is told apart from an unknown id by headers."
        return failed(seen, "the same headers twice", ", ".join(differing), Danger.EXISTENCE)
    if _form(hidden) != _form(unknown):
        seen = f"{what} is told apart from an unknown id by the body."
        return failed(seen, "the same body twice", "bodies that differ", Danger.EXISTENCE)
    if differing := _said_otherwise(hidden, unknown):
        seen = f"{what} is told apart from an unknown id by what is said."
        return failed(seen, "the same words twice", f"{', '.join(differing)} with other words", Danger.EXISTENCE)
    return passed(f"{what}: {hidden.status}, as for an unknown id.")


def must_show_only(probe: Probe, answer: Answer, what: str, patient: str = "") -> Result:
    """Nothing in it is about another patient alone; a refusal is right too."""
    foreign = of_others(answer, patient or probe.a.id)
    if foreign:
        shown = ", ".join(foreign[:3])
        return failed(f"{what} shows records of other patients.", "records of A alone", shown, Danger.RECORDS)
    if answer.status >= 500 and answer.status not in NOT_DONE:
        return failed(f"{what}: the server broke.", "200 or a refusal", str(answer), Danger.FORM)
    return passed(f"{what}: {answer}.")


def must_count_alike(counted: Answer, without: Answer, what: str) -> Result:
    """Two searches that may differ by another patient's record only have the same number, or are refused."""
    if not counted.is_ok or counted.total is None or without.total is None:
        return passed(f"{what}: {counted}.")
    if counted.total == without.total:
        return passed(f"{what}: {counted.total} both times.")
    both = f"{counted.total} and {without.total}"
    return failed(f"{what} tells how many records there are.", "the same number twice", both, Danger.CONTENT)


def must_count_alike_beside(
    probe: Probe, counted: Answer, without: Answer, what: str, listed: Callable[[], Answer]
) -> Result:
    """The same, but for records of others that mention A, which may belong to both; `listed` shows what is counted."""
    result = must_count_alike(counted, without, what)
    if not result.is_failed:
        return result
    found = listed()
    shared, more = of_both(found, probe.a.id), (counted.total or 0) - (without.total or 0)
    if shared and (found.link("next") or more == len(set(shared))):
        return passed(f"{what}: {counted.total} and {without.total}; records of others that mention A are among them.")
    return result


def _headers(answer: Answer) -> set[str]:
    """The names of the headers that do not change by themselves."""
    return {name.lower() for name in answer.headers} - VOLATILE - LENGTHS


def _said_otherwise(hidden: Answer, unknown: Answer) -> list[str]:
    """Headers and texts that say something else, beside the ids that were asked for; where these are known."""
    ids = _NAMES.findall(hidden.asked), _NAMES.findall(unknown.asked)
    if not hidden.asked or len(ids[0]) != len(ids[1]):
        return []
    pairs = {one: other for one, other in zip(*ids, strict=True) if one != other}
    one, other = _said(hidden), _said(unknown)
    return sorted(name for name in one if _plain(one[name], pairs) != _plain(other.get(name, ""), pairs))


def _said(answer: Answer) -> dict[str, str]:
    found = {name: answer.headers.get(name) or "" for name in SAID}
    issues = answer.resource.get("issue")
    for each in issues if isinstance(issues, list) else []:
        if isinstance(each, dict):
            found["the outcome"] = f"{found.get('the outcome', '')} {each.get('diagnostics')} {each.get('details')}"
    return found


def _plain(text: str, pairs: Mapping[str, str]) -> str:
    """Without what changes by itself, and with the same ids."""
    return _CHANGING.sub("#", _NAMES.sub(lambda found: pairs.get(found[0], found[0]), text))


def _form(answer: Answer) -> tuple[str, tuple[str, ...]]:
    """Type of the resource, and the codes of its issues; texts may repeat the id that was asked for."""
    issues = answer.resource.get("issue")
    found = issues if isinstance(issues, list) else []
    return answer.type, tuple(str(each.get("code")) for each in found if isinstance(each, dict))
