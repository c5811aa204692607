"""Creating records (docs/specification/resource-server.md, writes)."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_be_served, must_lack_scope
from smartauth_probe.checks.writes.copies import Copies, copies, new_id
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import BOTH, HIDE, KIND, PEOPLE, SCOPES, SECTION
from smartauth_probe.checks.writes.subjects import SUBJECTS
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe

IDS = {"other-by-labels": "WR-15", "elsewhere": "PC-17"}


@SECTION.check(
    "WR-01",
    "create-own",
    title="A scope to create lets an app create a record of its patient",
    headline="A scope to create is refused",
    why="A server that refuses what was granted is of no use. What people enter in their app is lost.",
    fix="Take .c for create where the new record is about the token's patient.",
    source=SCOPES,
    danger=Danger.FORM,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        answer = made.post(made.content(probe.a), probe.token(f"patient/{KIND}.c"))
        return must_be_served(answer, "create with .c")


@SECTION.check(
    "IX-15",
    "create-is-not-read",
    title="An app that may only create cannot read what it created",
    headline="A scope to create reads what was created",
    why="Writing is not reading: what is added to the record later comes out too. The person agreed to writing only.",
    fix="Demand r for reading, no matter who wrote the record.",
    source=SCOPES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record = made.of(probe.a)
        token = probe.token(f"patient/{KIND}.c")
        answer = made.post(made.content(probe.a), token)
        keys = [record.id, *([answer.id] if answer.is_ok and answer.id else [])]
        return worst(*(must_lack_scope(probe.read(KIND, key, token), "read with .c") for key in keys))


def _create_for(way: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        words, elements = SUBJECTS[way]
        with copies(probe) as made:
            made.of(probe.a)
            content = made.content(probe.a, **elements(probe))
            answer = made.post(content, made.owner(probe.a))
            return must_be_refused(answer, f"create {words}", made.stored(content, probe.a, probe.b))

    return run


SECTION.checks.extend(
    Check(
        id=IDS.get(way, "WR-02"),
        name=f"create-for-{way}",
        section=SECTION.key,
        title=f"A new record {words} is refused to the app of a patient",
        headline=f"A new record {words} is stored for the app of a patient",
        why=f"An app with the token of one patient writes what is not about them. {PEOPLE}",
        fix=f"{BOTH} Take only a reference that is resolved and is the token's patient.",
        source=SCOPES,
        run=_create_for(way),
        danger=Danger.WRITES,
        writes=True,
    )
    for way, (words, _) in SUBJECTS.items()
)


@SECTION.check(
    "WR-03",
    "create-by-performer",
    title="A new record about another patient is refused, even where the token's patient is its performer",
    headline="A new record about another patient is stored because the token's patient is its performer",
    why=f"For reading, FHIR's compartment takes a performer too, and writing is judged by the same rule. {PEOPLE}",
    fix="For writes compare the subject alone.",
    source="FHIR CompartmentDefinition patient",
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        a, b = ({"reference": person.path} for person in (probe.a, probe.b))
        content = made.content(probe.a, subject=b, performer=[a])
        answer = made.post(content, made.owner(probe.a))
        refused = must_be_refused(answer, "create for B, performed by A", made.stored(content, probe.a, probe.b))
        own = made.post(made.content(probe.a, performer=[b]), made.owner(probe.a))
        if own.is_ok or refused.is_failed:
            return refused
        return policy(f"A record of A that B performed is refused with {own.status}.")


@SECTION.check(
    "WR-09",
    "create-patient",
    title="Whether the app of one patient may create patients is known",
    headline="The app of one patient creates patients",
    why="A new patient lies outside of what the token opens. Somebody gets a second record that nobody looks for.",
    fix="Refuse create of Patient to patient/ scopes.",
    source=SCOPES,
    danger=Danger.WRITES,
    usual="Most servers refuse it.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        content = {"resourceType": "Patient", "name": [{"family": "Probe", "given": ["Never treated"]}]}
        answers = [made.post(each, made.owner(probe.a)) for each in (content, {**content, "id": probe.a.id})]
        if any(answer.is_ok for answer in answers):
            return policy("An app with the token of one patient creates another one.")
        return worst(*(must_be_refused(answer, "create of a Patient") for answer in answers))


@SECTION.check(
    "HI-03",
    "create-with-number-of-other",
    title="A number that a record of another patient has is no conflict that is told",
    headline="A conflict tells that a record of another patient has this number",
    why="A unique number is compared over everybody's records. Who was here can be tried number by number.",
    fix="Compare within the token's patient, or answer alike whether the number is taken or not.",
    source=HIDE,
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        taken, free = made.of(probe.b).content["identifier"], made.content(probe.a)["identifier"]
        return _must_be_one_status("number", *(_with_number(made, each) for each in (taken, free)))


@SECTION.check(
    "HI-03",
    "create-with-id-of-other",
    title="An id in a new record that is one of another patient's record takes nothing from it, and tells nothing",
    headline="A new record takes the id of another patient's record, or tells that there is one",
    why=f"The server keeps the id that the app names. The new record replaces the other one. {PEOPLE}",
    fix="Give each new record an id of your own, whatever stands in its content.",
    source="FHIR http, create",
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        record, content = made.of(probe.b), made.content(probe.a)
        before = probe.read(KIND, record.id, made.owner(probe.b))
        answers = [made.post({**content, "id": key}, made.owner(probe.a)) for key in (record.id, new_id())]
        kept = must_be_as_before(made, record, probe.b, before, "B's record")
        return kept if kept.is_failed else _must_be_one_status("id", *answers)


def _with_number(made: Copies, number: object) -> Answer:
    a = made.probe.a
    return made.post({**made.content(a), "identifier": number}, made.owner(a))


def _must_be_one_status(what: str, taken: Answer, free: Answer) -> Result:
    first, second = taken.status, free.status
    if first == second:
        return passed(f"{first} both times.")
    both = f"{first} and {second}"
    return failed(f"The {what} of B's record is told from a free one.", "the same twice", both, Danger.EXISTENCE)
