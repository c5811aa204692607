"""Writes in a batch, on copies."""

from smartauth_probe.checks.batch.bundles import answers_in, bundle, entry, need_batch, send
from smartauth_probe.checks.batch.section import EACH, HTTP, ONE_DOOR, SECTION
from smartauth_probe.checks.check import Danger, Result, worst
from smartauth_probe.checks.judging import must_lack_scope
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import KIND, PEOPLE
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.probe import READER, Probe
from smartauth_probe.tokens.source import GivenToken


def write_all(made: Copies, token: GivenToken, *entries: Json) -> list[Answer]:
    """The answers to a batch of these; what it makes is deleted in the end. Raises Skip."""
    need_batch(made.probe)
    with made.sending_all(entries):
        answers = answers_in(send(made.probe, token, bundle("batch", *entries)), len(entries))
    for each in answers:
        if each.status == 201:
            made.note(each, each.type or KIND)
    return answers


@SECTION.check(
    "WR-02",
    "batch-create-for-other",
    title="In a batch a new record for another patient is refused",
    headline="In a batch a new record for another patient is stored",
    why=f"{ONE_DOOR} {PEOPLE}",
    fix=EACH,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        content = made.content(probe.a, subject={"reference": probe.b.path})
        answer = write_all(made, made.owner(probe.a), entry("POST", KIND, content))[0]
        return must_be_refused(answer, "create for B", made.stored(content, probe.a, probe.b))


@SECTION.check(
    "WR-05",
    "batch-change-of-other",
    title="In a batch another patient's record is neither updated nor deleted",
    headline="In a batch another patient's record is updated or deleted",
    why=f"{ONE_DOOR} {PEOPLE}",
    fix=EACH,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        record = made.of(probe.b)
        before = probe.read(KIND, record.id, made.owner(probe.b))
        changed = {**record.content, "subject": {"reference": probe.a.path}}
        for each in (entry("PUT", record.path, changed), entry("DELETE", record.path)):
            write_all(made, made.owner(probe.a), each)
        return must_be_as_before(made, record, probe.b, before, "B's record")


@SECTION.check(
    "IX-01",
    "batch-write-without-letter",
    title="In a batch an app that may only read writes nothing",
    headline="In a batch an app that may only read writes",
    why=f"{ONE_DOOR} The person agreed to reading only.",
    fix=EACH,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = made.of(probe.a), probe.token(READER)
        before = probe.read(KIND, record.id, made.owner(probe.a))
        entries = [entry("POST", KIND, made.content(probe.a)), entry("PUT", record.path, record.content)]
        entries.append(entry("DELETE", record.path))
        answers = [write_all(made, token, each)[0] for each in entries]
        lacking = [must_lack_scope(each, "a write with .rs", Danger.WRITES) for each in answers]
        return worst(must_be_as_before(made, record, probe.a, before, "A's record"), *lacking)
