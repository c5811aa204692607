"""What several checks demand of an answer to a write, each as a result in words."""

from collections.abc import Sequence

from smartauth_probe.checks.check import Danger, Result, failed, passed
from smartauth_probe.checks.writes.copies import Copies
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import Person, Record
from smartauth_probe.target.probe import NOT_DONE


def must_be_refused(answer: Answer, what: str, stored: Sequence[Record] = ()) -> Result:
    """Neither done nor, whatever the answer says, stored."""
    if answer.is_ok:
        return failed(f"{what}: done.", "403 or 422", str(answer), Danger.WRITES)
    if stored:
        return failed(f"{what}: refused, and stored all the same.", "nothing stored", stored[0].path, Danger.WRITES)
    if answer.status >= 500 and answer.status not in NOT_DONE:
        return failed(f"{what}: the server broke.", "403 or 422", str(answer), Danger.FORM)
    return passed(f"{what}: {answer.status}.")


def must_be_as_before(made: Copies, record: Record, owner: Person, before: Answer, what: str) -> Result:
    """The record is what its patient read before."""
    after = made.probe.read(record.type, record.id, made.owner(owner))
    if after.resource == before.resource:
        return passed(f"{what}: nothing changed.")
    seen = "it is gone" if not after.is_ok else "it changed"
    return failed(f"{what}: {seen}.", "the record as it was", str(after), Danger.WRITES)
