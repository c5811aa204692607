"""Transactions: all or nothing, and references between their entries."""

from collections.abc import Sequence
from typing import Any

from smartauth_probe.checks.batch.bundles import answers_in, bundle, entry, send
from smartauth_probe.checks.batch.section import HTTP, SECTION, WHOLE
from smartauth_probe.checks.check import Danger, Result, worst
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import BOTH, HIDDEN, KIND, PEOPLE
from smartauth_probe.segments import segment
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

NEW_PATIENT = "urn:uuid:6d0e8a52-6b0c-4d0a-9c41-6f1d7f3a29d1"


def _transaction(made: Copies, token: GivenToken, entries: Sequence[Json]) -> Answer:
    """What it makes is deleted in the end."""
    with made.sending_all(entries):
        answer = send(made.probe, token, bundle("transaction", *entries))
    for each in answers_in(answer, 0) if answer.is_ok else ():
        if each.status == 201:
            location = each.headers.get("Location") or ""
            made.note(each, segment(each.type) or ("Patient" if "Patient/" in location else KIND))
    return answer


def _need_transaction(made: Copies) -> None:
    """Raises Skip unless one with a new record of A is carried out."""
    content, token = made.content(made.probe.a), made.owner(made.probe.a)
    made.probe.need("a transaction", _transaction(made, token, [entry("POST", KIND, content)]))
    made.stored(content, made.probe.a)


@SECTION.check(
    "BT-02",
    "transaction-with-refused-entry",
    title="A transaction with an entry that is refused stores nothing",
    headline="A transaction with an entry that is refused is stored, in part or as a whole",
    why=f"One entry is refused and the others are stored, or the refused one too. {PEOPLE}",
    fix=WHOLE,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_transaction(made)
        record, content = made.of(probe.b), made.content(probe.a)
        before = probe.read(KIND, record.id, made.owner(probe.b))
        changed = {**record.content, "subject": {"reference": probe.a.path}}
        entries = [entry("POST", KIND, content), entry("PUT", record.path, changed)]
        answer = _transaction(made, made.owner(probe.a), entries)
        refused = must_be_refused(answer, "an update of B's record", made.stored(content, probe.a))
        return worst(must_be_as_before(made, record, probe.b, before, "B's record"), refused)


@SECTION.check(
    "BT-02",
    "transaction-read-of-other",
    title="A transaction that reads another patient's record ends like one that reads what never existed",
    headline="A transaction tells that another patient's record exists, or shows it",
    why="Of a transaction that fails one entry is named as the cause. What is said of it tells who is here.",
    fix=HIDDEN,
    source=HTTP,
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_transaction(made)
        answers, record = [], probe.b.any()
        for key in (record.id, probe.unknown_id):
            entries = [entry("POST", KIND, made.content(probe.a)), entry("GET", f"{record.type}/{key}")]
            answers.append(answers_in(_transaction(made, made.owner(probe.a), entries), 2)[1])
        return must_be_alike(answers[0], answers[1], "B's record in a transaction")


@SECTION.check(
    "BT-02",
    "transaction-without-letter",
    title="A transaction with an entry that the scope does not allow stores nothing",
    headline="A transaction with an entry that the scope does not allow is stored",
    why="One entry is judged for the whole Bundle. The person agreed to creating, and the app deletes as well.",
    fix=WHOLE,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_transaction(made)
        record, token = made.of(probe.a), probe.token(f"patient/{KIND}.c")
        before, content = probe.read(KIND, record.id, made.owner(probe.a)), made.content(probe.a)
        answer = _transaction(made, token, [entry("POST", KIND, content), entry("DELETE", record.path)])
        refused = must_be_refused(answer, "create and delete with .c", made.stored(content, probe.a))
        return worst(refused, must_be_as_before(made, record, probe.a, before, "A's record"))


def _for_new_patient(made: Copies, **request: str) -> Result:
    """A record whose subject is a patient that the same transaction makes or finds."""
    patient = {"resourceType": "Patient", "active": True}
    content = made.content(made.probe.a, subject={"reference": NEW_PATIENT})
    entries: list[dict[str, Any]] = [entry("POST", "Patient", patient, full_url=NEW_PATIENT, **request)]
    answer = _transaction(made, made.owner(made.probe.a), [*entries, entry("POST", KIND, content)])
    stored = made.stored(content, made.probe.a, made.probe.b)
    return must_be_refused(answer, "a record for a patient of the same Bundle", stored)


@SECTION.check(
    "BT-04",
    "transaction-for-new-patient",
    title="A transaction stores no record for a patient that it makes or finds itself",
    headline="A transaction stores a record for a patient that it makes or finds itself",
    why=f"The reference is resolved after it was judged. {PEOPLE}",
    fix=f"{BOTH} Resolve the references of the Bundle first.",
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_transaction(made)
        found = f"identifier={probe.identifier_of_b}"
        return worst(_for_new_patient(made), _for_new_patient(made, ifNoneExist=found))


@SECTION.check(
    "BT-05",
    "transaction-reference-by-search",
    title="A reference by search in a transaction finds nobody but the token's patient",
    headline="A reference by search in a transaction finds another patient, or tells that they exist",
    why=f"The search in a reference is made without the token. {PEOPLE}",
    fix="Make the search of a reference with the token of the request, like any other.",
    source=HTTP,
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _need_transaction(made)
        answers, results = [], []
        for number in (probe.identifier_of_b, "never-given-7f3k29qd"):
            content = made.content(probe.a, subject={"reference": f"Patient?identifier={number}"})
            answers.append(_transaction(made, made.owner(probe.a), [entry("POST", KIND, content)]))
            results.append(must_be_refused(answers[-1], "a record", made.stored(content, probe.a, probe.b)))
        return worst(*results, must_be_alike(answers[0], answers[1], "B's number"))
