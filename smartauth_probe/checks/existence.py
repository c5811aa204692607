"""Whether answers tell that a record exists, by how long they take too (docs/specification/resource-server.md)."""

from statistics import median

from smartauth_probe.checks.check import Danger, Result, Section, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.target.probe import Probe

SECTION = Section("existence", "Existence and timing", "Does the answer tell that a record exists?")
HIDE = "FHIR security, Access Denied Response Handling"
PAIRS = 50
LEAST_SECONDS = 0.005  # below it nobody can tell over a network
MOST_WRONG = 4.0  # standard deviations of the sign of a difference that chance may give


@SECTION.check(
    "HI-01",
    "everything-of-other",
    title="$everything of another patient is answered like one who never existed",
    headline="$everything of another patient is answered, or told apart",
    why="An operation has a route of its own, and often no check of its own. It gives the whole record at once.",
    fix="Judge the patient of an operation like one that is read, then filter what it returns.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    other, unknown = (probe.send("GET", f"Patient/{key}/$everything", token) for key in (probe.b.id, probe.unknown_id))
    shown = [must_show_only(probe, answer, "$everything") for answer in (other, unknown)]
    return worst(must_be_alike(other, unknown, "$everything of B"), *shown)


@SECTION.check(
    "HI-05",
    "unknown-type-alike",
    title="Without a scope for the type, B's record and an unknown one are answered alike",
    headline="Without a scope for the type the answer tells that B's record exists",
    why="The record is looked up before the scope. Ids of others can be tried with any token.",
    fix="Judge the scope first, and look a record up only then.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, record = probe.token("patient/Basic.rs"), probe.b.any()
    other, unknown = (probe.read(record.type, key, token) for key in (record.id, probe.unknown_id))
    patients = [probe.read("Patient", key, token) for key in (probe.b.id, probe.unknown_id)]
    return worst(must_be_alike(other, unknown, record.path), must_be_alike(patients[0], patients[1], "Patient B"))


@SECTION.check(
    "HI-03",
    "methods-of-other",
    title="Whatever the method, B's record is answered like one that never existed",
    headline="A method tells that another patient's record exists",
    why="Each method has code of its own, and the check is in some of it. One that was forgotten tells who is here.",
    fix="Put the check before the methods part.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for method in ("HEAD", "OPTIONS", "POST", "TRACE"):
        other, unknown = (probe.send(method, f"Patient/{key}", token) for key in (probe.b.id, probe.unknown_id))
        results.append(must_be_alike(other, unknown, f"{method} of Patient B"))
    return worst(*results)


@SECTION.check(
    "HI-04",
    "timing",
    title="B's record and one that never existed take the same time",
    headline="The time that an answer takes tells that another patient's record exists",
    why="The record is read before it is refused, and that takes longer. Somebody with patience lists who is here.",
    fix="Put the patient into the query that looks the record up, so that both find nothing in the same way.",
    source=HIDE,
    danger=Danger.EXISTENCE,
    usual="A difference of less than 5 ms is lost in any network.",
)
def _(probe: Probe) -> Result:
    token, differences = probe.token(), []
    for number in range(PAIRS):
        keys = (probe.b.id, probe.unknown_id) if number % 2 else (probe.unknown_id, probe.b.id)
        times = {key: probe.read("Patient", key, token).seconds for key in keys}
        differences.append(times[probe.b.id] - times[probe.unknown_id])
    return judge_differences(differences)


def judge_differences(differences: list[float]) -> Result:
    """Pairs that were taken turn by turn: both the median and nearly all signs must point one way (sign test)."""
    middle = median(differences)
    slower = sum(each > 0 for each in differences)
    wrong = abs(2 * slower - len(differences)) / len(differences) ** 0.5
    seen = f"The median differs by {middle * 1000:.1f} ms over {len(differences)} pairs."
    if abs(middle) >= LEAST_SECONDS and wrong >= MOST_WRONG:
        longer = "B's record" if middle > 0 else "the unknown one"
        return failed(f"{longer} takes longer.", "no difference", seen, Danger.EXISTENCE)
    return passed(seen)
