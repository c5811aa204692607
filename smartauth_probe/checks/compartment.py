"""What belongs to the patient of a token, and what does not (docs/specification/resource-server.md, compartment)."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, Section, Skip, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_be_alike, must_count_alike, must_lack_scope, must_show_only
from smartauth_probe.target.fixture import PARAMETERS, TYPES, Person
from smartauth_probe.target.probe import Probe

SECTION = Section("compartment", "One patient's record", "What belongs to A, and what does not")
SOURCE = "SMART App Launch 2.2, FHIR CompartmentDefinition patient"
HIDE = "FHIR security, Access Denied Response Handling"
NARROW = "Add the patient of the token to the search itself, on the server, before anything is matched or counted."
ALIKE = "Answer 404 for a record outside the token's patient, with the very body and headers that an unknown id gets."
PEOPLE = "The person agreed to share their own record, not those of others."


def _kinds(probe: Probe) -> list[str]:
    """Types of which A or B has a record that was found. Raises Skip."""
    found = [kind for kind in TYPES if kind in probe.b.records]
    if not found:
        raise Skip("Patient B has no record that was found.", "records for A and B")
    return found


@SECTION.check(
    "PC-02",
    "other-patient",
    title="Another patient is answered like one who never existed",
    headline="The answer tells that another patient exists, or shows them",
    why="Somebody who tries ids learns who is a patient here. In some clinics that alone is a secret.",
    fix=f"{ALIKE} Keep 403 for a missing scope.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    other, unknown = (probe.read("Patient", key, token) for key in (probe.b.id, probe.unknown_id))
    return must_be_alike(other, unknown, "Patient B")


def _record_of_b(kind: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token, record = probe.token(), probe.b.first(kind)
        other, unknown = (probe.read(kind, key, token) for key in (record.id, probe.unknown_id))
        return must_be_alike(other, unknown, f"{kind} of B")

    return run


def _record_check(kind: str) -> Check:
    return Check(
        id="PC-03",
        name=f"other-{kind.lower()}",
        section=SECTION.key,
        title=f"{kind} of another patient is answered like one that never existed",
        headline=f"{kind} of another patient is shown, or told apart from one that never existed",
        why=f"An app with the token of one patient tries ids of {kind}. {PEOPLE}",
        fix=ALIKE,
        source=HIDE,
        run=_record_of_b(kind),
        danger=Danger.EXISTENCE,
    )


SECTION.checks.extend(_record_check(kind) for kind in TYPES)


@SECTION.check(
    "PC-04",
    "search-without-patient",
    title="A search that names no patient finds the token's patient only",
    headline="A search that names no patient finds everybody's records",
    why=f"A patient's app need not name the patient, and then the server must. {PEOPLE}",
    fix=NARROW,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    return worst(*(must_show_only(probe, probe.search(kind, token), kind) for kind in ("Patient", *_kinds(probe))))


def _ways(b: Person, base: str, kind: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """How a search names B."""
    name = PARAMETERS.get(kind, "patient")
    return {
        "by-id": ((name, b.id),),
        "by-reference": ((name, b.path),),
        "by-url": ((name, f"{base}/{b.path}"),),
        "by-subject": (("subject", b.path),),
        "by-typed-subject": (("subject:Patient", b.id),),
        "with-own": ((name, f"{{a}},{b.id}"),),
        "beside-own": ((name, "{a}"), (name, b.id)),
        "by-identifier": (("patient:identifier", "{identifier}"),),
        "by-chain": (("patient._id", b.id),),
        "by-not": (("subject:not", "Patient/{a}"),),
        "by-missing": (("subject:missing", "false"),),
    }


def _search_of_b(way: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token, results = probe.token(), []
        for kind in _kinds(probe)[:3]:
            pairs = _ways(probe.b, probe.client.base, kind)[way]
            own = [(name, _filled(probe, value)) for name, value in pairs]
            results.append(must_show_only(probe, probe.search(kind, token, *own), f"{kind} of B, {way}"))
        return worst(*results)

    return run


def _filled(probe: Probe, value: str) -> str:
    return value.replace("{a}", probe.a.id).replace("{identifier}", probe.identifier_of_b if "{i" in value else "")


def _search_check(way: str) -> Check:
    return Check(
        id="PC-06" if way == "by-identifier" else "PC-05",
        name=f"search-other-{way}",
        section=SECTION.key,
        title=f"A search for another patient, {way.replace('-', ' ')}, finds nothing of theirs",
        headline=f"A search for another patient, {way.replace('-', ' ')}, finds their records",
        why=f"The app names another patient in its search, which costs it nothing. {PEOPLE}",
        fix=NARROW,
        source=SOURCE,
        run=_search_of_b(way),
    )


SECTION.checks.extend(_search_check(way) for way in _ways(Person("B", ""), "", "Observation"))


@SECTION.check(
    "PC-07",
    "search-patients",
    title="A search for patients finds the token's patient only",
    headline="A search for patients finds others",
    why="A list of patients is what somebody looks for first. Who is in it did not agree to be found.",
    fix=NARROW,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    asked = [(), (("_id", probe.b.id),), (("_id", f"{probe.a.id},{probe.b.id}"),), (("active", "true"),)]
    searches = [probe.search("Patient", token, *pairs) for pairs in asked]
    return worst(*(must_show_only(probe, answer, "Patient") for answer in searches))


@SECTION.check(
    "PC-07",
    "search-patient-by-identifier",
    title="A search by another patient's record number is as one for a number that nobody has",
    headline="A search by record number tells that another patient exists",
    why="Record numbers can be counted up. A different answer tells who is a patient here.",
    fix=NARROW,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    known, unknown = (
        probe.search("Patient", token, ("identifier", value)) for value in (probe.identifier_of_b, "nobody-7f3k")
    )
    return worst(must_show_only(probe, known, "Patient"), must_count_alike(known, unknown, "identifier"))


@SECTION.check(
    "PC-12",
    "types-without-patient",
    title="Types that belong to no patient are refused, or hold nothing of a patient",
    headline="A type that belongs to no patient gives records of patients",
    why="Where no rule is written for a type, everything of it is open. Tasks and files tell about people too.",
    fix="Deny by default: serve a type only where a rule says which of its records belong to a patient.",
    source=SOURCE,
    usual="Practitioner, Organization, Location and Medication are often open, where A's record refers to them.",
)
def _(probe: Probe) -> Result:
    token = probe.token()
    kinds = ("Task", "Binary", "Bundle", "QuestionnaireResponse", "Linkage", "Device", "MessageHeader", "AuditEvent")
    answers = {kind: probe.search(kind, token) for kind in kinds}
    shown = [must_show_only(probe, answer, kind) for kind, answer in answers.items()]
    open_ = [kind for kind, answer in answers.items() if answer.is_ok and answer.entries]
    return worst(*shown, policy(f"Shown: {', '.join(open_)}.") if open_ else passed())


@SECTION.check(
    "PC-20",
    "no-patient-in-token",
    title="patient/ scopes without a patient in the token open nothing",
    headline="patient/ scopes without a patient in the token open records",
    why="Where the patient is missing, the filter is missing. One such token reads the records of all.",
    fix="Refuse patient/ scopes with 403 where the token names no patient; no filter is never all.",
    source="SMART App Launch 2.2, scopes and launch context",
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/*.rs", "")
    kind = next(iter(probe.a.records), "Patient")
    results = [must_lack_scope(probe.read("Patient", key, token), "read") for key in (probe.a.id, probe.b.id)]
    return worst(*results, must_lack_scope(probe.search(kind, token), f"search of {kind}"))


@SECTION.check(
    "PC-19",
    "unknown-patient-in-token",
    title="A token for a patient who does not exist opens nothing",
    headline="A token for a patient who does not exist opens records",
    why="A patient was deleted or merged, and the token lives on. Records of others must not fill the gap.",
    fix="Filter by the patient of the token whether there is one or not; nothing found is an empty answer.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/*.rs", "gone-7f3k29qd")
    for kind in ("Patient", *_kinds(probe)):
        answer = probe.search(kind, token)
        if answer.holds_data:
            return failed(f"A search of {kind} finds something.", "nothing", str(answer))
    read = probe.read("Patient", probe.a.id, token)
    return failed("Patient A is read.", "404", str(read)) if read.is_ok and read.holds_data else passed()


@SECTION.check(
    "PC-21",
    "patient-written-otherwise",
    title="The patient in the token is compared exactly",
    headline="A patient that is written almost like another one opens their record",
    why="The id is cut, lowered or joined to a path before it is compared. One person's token opens another's record.",
    fix="Take the id from the token as it is, refuse what is no FHIR id, and compare it as a whole.",
    source="SMART App Launch 2.2, scopes and launch context",
)
def _(probe: Probe) -> Result:
    a = probe.a.id
    cased = a.upper() if a.upper() != a else a.lower()
    for written in (cased, f"{a} ", f" {a}", f"{a}/", f"x/../{a}", f"{a},{probe.b.id}", "*", "%"):
        answer = probe.read("Patient", a, probe.token("patient/*.rs", written))
        if answer.is_ok and answer.holds_data:
            return failed(f"patient {written!r} opens {a}.", "404 or 403", str(answer))
        found = probe.search("Patient", probe.token("patient/*.rs", written))
        if found.holds_data:
            return failed(f"patient {written!r} finds {found.names[:2]}.", "nothing", str(found))
    return passed()


@SECTION.check(
    "PC-21",
    "id-written-otherwise",
    title="An id in the path that is written otherwise leads to nothing else",
    headline="Another spelling of the path leads around the check",
    why="The check reads one spelling of the path, and the store another. Records of others come out between the two.",
    fix="Route first and check what was routed to; refuse ids that are no FHIR id.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, a, b = probe.token(), probe.a, probe.b
    paths = (
        f"Patient/{a.id}/../{b.id}",
        f"Patient/{a.id}%2f..%2f{b.id}",
        f"Patient//{b.id}",
        f"Patient/./{b.id}",
        f"Patient/{b.id}/",
        f"patient/{b.id}",
        f"Patient/{b.id}%20",
        f"Patient/{b.id}%00",
        f"Patient/{b.id};{a.id}",
        f"{a.path}/..;/{b.id}",
        f"Patient/{b.id}.json",
        f"Patient/{b.id}?_format=json",
    )
    for path in paths:
        answer = probe.send("GET", path, token)
        if (answer.is_ok and answer.id == b.id) or must_show_only(probe, answer, path).is_failed:
            return failed(f"GET {path} shows Patient B.", "404", str(answer))
    return passed(f"None of {len(paths)} spellings leads to Patient B.")


@SECTION.check(
    "SR-03",
    "compartment-of-other",
    title="The compartment of another patient is closed",
    headline="The compartment of another patient is open",
    why=f"A search below another patient has a path of its own, and often no check of its own. {PEOPLE}",
    fix="Judge the patient in the path like one in a parameter.",
    source="FHIR search, compartments",
)
def _(probe: Probe) -> Result:
    token, b = probe.token(), probe.b
    paths = [f"{b.path}/{kind}" for kind in _kinds(probe)[:3]] + [f"{b.path}/*", f"{b.path}/_history"]
    return worst(*(must_show_only(probe, probe.send("GET", path, token), path) for path in paths))
