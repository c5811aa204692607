"""user/ scopes. The person is taken for one who may see patient A alone."""

from smartauth_probe.checks.check import Danger, Result, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served, must_lack_scope, must_show_only
from smartauth_probe.checks.users.section import SECTION
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

SCOPES = "SMART App Launch 2.2, scopes for requesting FHIR resources"
OWN = "Let user/ scopes reach what the person may see anyway, never more; ask who that is at each request."
PEOPLE = "What others are treated for is none of this person's business."


def _person(probe: Probe, scope: str = "user/*.rs") -> GivenToken:
    """Of somebody who is patient A. Raises Skip where user/ scopes open nothing."""
    token = probe.token("user/*.rs", "", user=f"{probe.client.base}/{probe.a.path}")
    probe.need("user/*.rs", probe.read("Patient", probe.a.id, token))
    return probe.token(scope, "", user=f"{probe.client.base}/{probe.a.path}")


@SECTION.check(
    "US-01",
    "user-reads-own",
    title="user/ scopes show a patient nobody else",
    headline="user/ scopes show a patient others, or tell that they exist",
    why=f"user/ is taken for everything that is here. {PEOPLE}",
    fix=OWN,
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    token = _person(probe)
    other, unknown = (probe.read("Patient", key, token) for key in (probe.b.id, probe.unknown_id))
    record = probe.b.any()
    theirs, none = (probe.read(record.type, key, token) for key in (record.id, probe.unknown_id))
    return worst(must_be_alike(other, unknown, "Patient B"), must_be_alike(theirs, none, record.path))


@SECTION.check(
    "US-02",
    "user-search",
    title="A search with user/ scopes finds what the person may see",
    headline="A search with user/ scopes finds everybody",
    why=f"A search that names no patient is not narrowed for user/ scopes. {PEOPLE}",
    fix=OWN,
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    token = _person(probe)
    kinds = ("Patient", *list(probe.b.records)[:4])
    asked = [(kind, pairs) for kind in kinds for pairs in ((), (("_id", f"{probe.a.id},{probe.b.id}"),))]
    return worst(*(must_show_only(probe, probe.search(kind, token, *pairs), kind) for kind, pairs in asked))


@SECTION.check(
    "US-05",
    "user-with-one-type",
    title="user/Observation.rs of a patient opens their own results and no other type",
    headline="user/Observation.rs of a patient opens more than their own results",
    why=f"A patient who uses an app is taken for somebody who works here. {PEOPLE}",
    fix=OWN,
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    token = _person(probe, "user/Observation.rs")
    shown = must_show_only(probe, probe.search("Observation", token), "Observation")
    other = next((kind for kind in probe.b.records if kind != "Observation"), "Condition")
    return worst(shown, must_lack_scope(probe.search(other, token), other))


@SECTION.check(
    "US-03",
    "user-letters",
    title="user/ scopes are judged by their letters",
    headline="user/ scopes allow more than their letters",
    why="The letters are read for patient/ scopes and forgotten for user/. The person agreed to less.",
    fix="Judge the letters in one place, for every context.",
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    only_read, only_search = _person(probe, "user/Observation.r"), _person(probe, "user/Observation.s")
    record = probe.a.first("Observation")
    read = must_lack_scope(probe.read("Observation", record.id, only_search), "read with .s")
    return worst(read, must_lack_scope(probe.search("Observation", only_read), "search with .r"))


@SECTION.check(
    "US-03",
    "user-writes-of-other",
    title="user/ scopes let a patient change nobody else's record",
    headline="user/ scopes let a patient change somebody else's record",
    why=f"The scope allows to write, and what this person may do is not asked. {PEOPLE}",
    fix=OWN,
    source=SCOPES,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        token, record = _person(probe, "user/*.cruds"), made.of(probe.b)
        before = probe.read(record.type, record.id, made.owner(probe.b))
        made.put(record.path, {**record.content, "status": "amended"}, token)
        probe.send("DELETE", record.path, token)
        content = made.content(probe.b)
        created = must_be_refused(made.post(content, token), "create for B", made.stored(content, probe.b))
        return worst(must_be_as_before(made, record, probe.b, before, "B's record"), created)


@SECTION.check(
    "US-01",
    "user-scopes-without-person",
    title="user/ scopes without a person open nothing",
    headline="user/ scopes without a person open records",
    why="Where nobody is named, nobody's rights narrow the token. It reads the records of all.",
    fix="Refuse user/ scopes with 403 where the token names no person.",
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    token = probe.token("user/*.rs", "", fhirUser=None, sub="nobody-7f3k29qd")
    others = [
        probe.read("Patient", probe.b.id, token),
        probe.search("Patient", token),
        probe.search("Observation", token),
    ]
    return worst(*(must_show_only(probe, answer, "user/*.rs") for answer in others))


@SECTION.check(
    "US-04",
    "user-beside-patient",
    title="patient/ scopes beside user/ scopes widen neither",
    headline="patient/ and user/ scopes in one token open a third thing",
    why="The type of one scope is read with the context of the other. Nobody agreed to that.",
    fix="Judge each scope by itself: its context, its type, its letters; then put together what they open.",
    source=SCOPES,
)
def _(probe: Probe) -> Result:
    _person(probe)
    user = f"{probe.client.base}/{probe.a.path}"
    token = probe.token("patient/Patient.rs user/Observation.rs", user=user)
    shown = [must_show_only(probe, probe.search(kind, token), kind) for kind in ("Patient", "Observation")]
    other = next((kind for kind in probe.a.records if kind != "Observation"), "Condition")
    return worst(*shown, must_lack_scope(probe.search(other, token), other))


@SECTION.check(
    "US-06",
    "user-is-readable",
    title="An app may read who its user is",
    headline="An app may not read who its user is",
    why="An app shows who is signed in. People cannot see under which name they use it.",
    fix="With openid, fhirUser and a scope to read that type, serve the resource that fhirUser names.",
    source="SMART App Launch 2.2, scopes for requesting identity data",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    token = _person(probe, "openid fhirUser user/Patient.r")
    return must_be_served(probe.read("Patient", probe.a.id, token), "fhirUser")
