"""Updating records (docs/specification/resource-server.md, writes)."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, passed, policy, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served, must_lack_scope
from smartauth_probe.checks.writes.copies import Copies, copies, new_id
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import BOTH, HIDDEN, HIDE, KIND, PEOPLE, SCOPES, SECTION
from smartauth_probe.checks.writes.subjects import SUBJECTS
from smartauth_probe.skip import Skip
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe

MOVES = ("other", "other-by-url", "unknown", "contained", "nobody")


def _updatable(made: Copies) -> Record:
    """A record of A that the server updates. Raises Skip."""
    made.probe.need_interaction(KIND, "update")
    record = made.of(made.probe.a)
    made.probe.need(f"PUT {KIND}", made.put(record.path, record.content, made.owner(made.probe.a)))
    return record


@SECTION.check(
    "V1-03",
    "update-own",
    title=".u and .write let an app update a record of its patient",
    headline=".u or .write does not let an app update a record of its patient",
    why="A server that refuses what was granted is of no use. What people correct in their app is lost.",
    fix="Take .u for update and patch, and .write for .cud.",
    source=SCOPES,
    danger=Danger.FORM,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record = _updatable(made)
        tokens = [probe.token(f"patient/{KIND}.{letters}") for letters in ("u", "write")]
        answers = [made.put(record.path, record.content, token) for token in tokens]
        return worst(*(must_be_served(each, "update") for each in answers))


def _move_to(way: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        words, elements = SUBJECTS[way]
        with copies(probe) as made:
            record = _updatable(made)
            before = probe.read(KIND, record.id, made.owner(probe.a))
            changed = {**record.content, **elements(probe)}
            kept = {name: value for name, value in changed.items() if value is not None}
            answer = made.put(record.path, kept, made.owner(probe.a))
            refused = must_be_refused(answer, f"an update that makes the record one {words}")
            return refused if refused.is_failed else must_be_as_before(made, record, probe.a, before, "the record")

    return run


SECTION.checks.extend(
    Check(
        id="WR-04",
        name=f"update-to-{way}",
        section=SECTION.key,
        title=f"An update that makes a record one {SUBJECTS[way][0]} is refused",
        headline=f"An update makes a record one {SUBJECTS[way][0]}",
        why=f"The record is judged as it was, and not as it becomes. {PEOPLE}",
        fix=BOTH,
        source=SCOPES,
        run=_move_to(way),
        danger=Danger.WRITES,
        writes=True,
    )
    for way in MOVES
)


@SECTION.check(
    "WR-05",
    "update-of-other",
    title="An update of another patient's record changes nothing, even where it names the token's patient",
    headline="An update changes another patient's record",
    why=f"The record is judged as it becomes, and not as it was. {PEOPLE}",
    fix=BOTH,
    source=SCOPES,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _updatable(made)
        record, token = made.of(probe.b), made.owner(probe.a)
        before = probe.read(KIND, record.id, made.owner(probe.b))
        for subject in (probe.b.path, probe.a.path):
            made.put(record.path, {**record.content, "subject": {"reference": subject}}, token)
        return must_be_as_before(made, record, probe.b, before, "B's record")


@SECTION.check(
    "IX-17",
    "update-of-other-alike",
    title="An update of another patient's record is answered like one of an id that never existed",
    headline="An update tells that another patient's record exists",
    why="Each method has code of its own, and the check is in some of it. Ids of others can be tried by updating them.",
    fix=f"{HIDDEN} Let patient/ scopes make no ids of their own.",
    source=HIDE,
    danger=Danger.EXISTENCE,
    usual="Where PUT makes records, most servers refuse that to patient/ scopes.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = made.of(probe.b), made.owner(probe.a)
        content = made.content(probe.a)
        unknown = made.put(f"{KIND}/{new_id()}", content, token)
        if unknown.is_ok:
            return policy("PUT makes a record of an id that never existed: B's id is told apart by not doing so.")
        other = made.put(record.path, {**content, "id": record.id}, token)
        return must_be_alike(other, unknown, "the update of B's record")


@SECTION.check(
    "WR-08",
    "update-if-match",
    title="If-Match on another patient's record is answered as on an id that never existed",
    headline="If-Match tells that another patient's record exists, and its version",
    why="The version is compared before the record is judged. 412 tells that it exists and how often it changed.",
    fix=HIDDEN,
    source="RFC 9110 §13, FHIR http",
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token, results = made.of(probe.b), made.owner(probe.a), []
        content = made.content(probe.a)
        for version in ('W/"1"', 'W/"999"', "*"):
            paths = (record.path, f"{KIND}/{new_id()}")
            other, unknown = (made.put(path, content, token, ("If-Match", version)) for path in paths)
            if unknown.is_ok:
                raise Skip("PUT with If-Match makes a record of an id that never existed.")
            results.append(must_be_alike(other, unknown, f"If-Match {version}"))
        return worst(*results)


@SECTION.check(
    "IX-06",
    "create-by-update",
    title="A record that PUT makes takes the letter u",
    headline="PUT makes a record without the letter u",
    why="PUT to a new id is a second way to create, and often no check stands there. The person agreed to less.",
    fix="Demand u for every PUT.",
    source=SCOPES,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        content, path = made.content(probe.a), f"{KIND}/{new_id()}"
        probe.need("PUT of a new id", made.put(path, {**content, "id": path.rpartition("/")[2]}, made.owner(probe.a)))
        results = []
        for letter in "crds":
            path = f"{KIND}/{new_id()}"
            answer = made.put(path, {**content, "id": path.rpartition("/")[2]}, probe.token(f"patient/{KIND}.{letter}"))
            results.append(must_lack_scope(answer, f"PUT of a new id with .{letter}", Danger.WRITES))
        return worst(*results)


@SECTION.check(
    "IX-16",
    "update-returns",
    title="What an update returns to an app that may not read is known",
    headline="An update returns what the app may not read",
    why="The answer to an update holds the record as it is stored. Elements that others wrote come out with it.",
    fix="Where the token has no r, answer an update without the record, whatever Prefer says.",
    source=SCOPES,
    usual="Many servers return what was sent.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record = _updatable(made)
        prefer = ("Prefer", "return=representation")
        answer = made.put(record.path, record.content, probe.token(f"patient/{KIND}.u"), prefer)
        more = set(answer.resource) - {*record.content, "meta", "text"} if answer.type == KIND else set()
        return policy(f"It returns {', '.join(sorted(more))} beside what was sent.") if more else passed(f"{answer}.")
