"""What an app may learn through a record of its own patient that it makes itself, and that names one of another."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_count_alike, must_show_only
from smartauth_probe.checks.search.counts import COUNTS
from smartauth_probe.checks.search.section import CLOSE, KIND, SEARCH, SECTION
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe

VISIT = "Encounter"


def _about_visit(made: Copies, key: str) -> Answer:
    """A new result of A that names this visit as the one at which it was taken."""
    name = "context" if made.probe.facts.version == "STU3" else "encounter"
    content = made.content(made.probe.a, **{name: {"reference": f"{VISIT}/{key}"}})
    return made.post(content, made.owner(made.probe.a))


def _found(probe: Probe, record: Answer, visit: str) -> Answer:
    chain = (f"encounter:{VISIT}._id", visit)
    return probe.search(KIND, probe.token(), ("_id", record.id), chain, *COUNTS["summary"])


def _need_chains(made: Copies) -> None:
    """Raises Skip unless the server finds a record of A by A's own visit."""
    visit = made.probe.a.first(VISIT).id
    record = made.probe.need(f"POST {KIND}", _about_visit(made, visit))
    if made.probe.need("a chain", _found(made.probe, record, visit)).total != 1 and not made.probe.client.is_dry:
        raise Skip("The server does not evaluate a chain through the visit of a result.")


@SECTION.check(
    "SR-08",
    "chain-from-own-record",
    title="A chain from a record of A to one of B that it names is one to a record that never existed",
    headline="A chain from a record of A reads the record of B that it names",
    why="An app makes a record that names one of somebody else, and asks through it. Value by value it reads that one.",
    fix=CLOSE,
    source=SEARCH,
    danger=Danger.CONTENT,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_chains(made)
        ids = (probe.b.first(VISIT).id, probe.unknown_id)
        other, unknown = records = [_about_visit(made, key) for key in ids]
        if other.status != unknown.status:
            both = f"{other.status} and {unknown.status}"
            return failed("A record that names B's is told from another.", "the same twice", both, Danger.EXISTENCE)
        if not other.is_ok:
            return passed(f"No record names one of B: {other}.")
        through, nowhere = (_found(probe, record, key) for record, key in zip(records, ids, strict=True))
        include = probe.search(KIND, probe.token(), ("_id", other.id), ("_include", f"{KIND}:encounter"))
        told = must_count_alike(through, nowhere, "A chain to B's record and one to none")
        return worst(told, must_show_only(probe, include, "what comes along"))
