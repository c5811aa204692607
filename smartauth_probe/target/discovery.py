"""Finds the two patients and their records, each with the patient's own token, or with that of a backend service."""

from collections.abc import Iterator, Mapping, Sequence

from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.segments import leads_up
from smartauth_probe.skip import Skip
from smartauth_probe.target.client import Client, Stop
from smartauth_probe.target.fixture import PARAMETERS, TYPES, Fixture, Person, Record, mentioned, subjects
from smartauth_probe.target.named_records import NamedRecords
from smartauth_probe.target.probe import SERVICE, Probe
from smartauth_probe.target.server_facts import server_facts
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.source import GivenToken, NoToken, TokenSource

SHOWN = "20"
TRIED = 10  # candidates for B


class CouldNotRun(Exception):
    """Why no check says anything."""


def prepare(
    client: Client,
    source: TokenSource,
    patients: Sequence[str] = (),
    *,
    writes: bool = False,
    named: NamedRecords | None = None,
) -> Probe:
    """A probe with what the server is and what is in it, or what is named. Raises CouldNotRun."""
    return find_records(begin(client, source, writes=writes), patients, named)


def begin(client: Client, source: TokenSource, *, writes: bool = False) -> Probe:
    """A probe that knows what the server is, and no patient yet. Raises CouldNotRun."""
    try:
        facts = server_facts(client)
    except (NoAnswer, Stop) as problem:
        raise CouldNotRun(str(problem)) from None
    client.accept = facts.accept
    return Probe(client, source, facts, Fixture(Person("A", "")), writes=writes)


def find_records(probe: Probe, patients: Sequence[str] = (), named: NamedRecords | None = None) -> Probe:
    """The same probe, with two patients and what is there of them, or what is named. Raises CouldNotRun."""
    try:
        _find(probe, list(named or patients), named)
        return probe
    except (NoAnswer, Stop) as problem:
        raise CouldNotRun(str(problem)) from None
    except (Skip, NoToken) as problem:
        why = str(problem).rstrip(".")
        raise CouldNotRun(f"There is no token to begin with. {why}.{_advice(probe.source)}") from None


def _advice(source: TokenSource) -> str:
    """Which options say whose tokens are wanted."""
    if not isinstance(source, DevelopmentTokens):
        return ""
    who = "--client names an app that may ask for tokens of this base, --user a person who has a patient there"
    return f" {who}; now they are {source.client} and {source.user}."


def _find(probe: Probe, patients: list[str], named: NamedRecords | None) -> None:
    a = patients[0] if patients else "A" if probe.client.is_dry else probe.source.patient or _another_patient(probe, "")
    b = patients[1] if patients[1:] else ""
    if not a:
        raise CouldNotRun("Nobody knows a patient: name two with --patients A,B, or load them with --load --writes")
    if probe.client.is_dry:
        probe.fixture = Fixture(_imagined("A", a), _imagined("B", b or "B"))
        return
    probe.fixture = Fixture(Person("A", a))
    _refuse_unless_let_in(probe)
    probe.fixture = _named_fixture(probe, named) if named else _fixture(probe, a, b)


def _refuse_unless_let_in(probe: Probe) -> None:
    """A server that refuses everything proves nothing. Raises CouldNotRun, Skip."""
    token = probe.reader(probe.a.id)
    answer = probe.read("Patient", probe.a.id, token)
    if answer.status != 200 or (answer.type, answer.id) != ("Patient", probe.a.id):
        challenge = answer.headers.get("WWW-Authenticate") or ""
        raise CouldNotRun(
            f"The server does not let a good token in: GET {probe.a.path} with {token.label} answered {answer}"
            f"{f', {challenge[:200]}' if challenge else ''}. Whatever it refuses then says nothing."
        )


def _fixture(probe: Probe, a: str, b: str) -> Fixture:
    other = b or _another_patient(probe, a)
    found = Person("B", other, of_one_alone(_records(probe, other), a)) if other else None
    return Fixture(Person("A", a, _records(probe, a)), found)


def of_one_alone(records: Mapping[str, Sequence[Record]], other: str) -> Mapping[str, Sequence[Record]]:
    """Those that do not mention the other patient: what mentions both, a group's appointment, may belong to both."""
    return {kind: [each for each in found if other not in mentioned(each.content)] for kind, found in records.items()}


def _named_fixture(probe: Probe, named: NamedRecords) -> Fixture:
    a, b = (
        Person(letter, patient, _read(probe, patient, records))
        for letter, (patient, records) in zip("AB", named.items(), strict=True)
    )
    return Fixture(a, b)


def _read(probe: Probe, patient: str, records: Sequence[str]) -> Mapping[str, Sequence[Record]]:
    """These records, as the patient's own token reads them. Raises CouldNotRun, Skip."""
    found: dict[str, list[Record]] = {}
    for each in records:
        kind, _, key = each.partition("/")
        answer = probe.read(kind, key, probe.reader(patient))
        if not answer.is_ok or answer.type != kind:
            raise CouldNotRun(f"The fixture names {each}, and a token for its patient {patient} gets {answer}")
        found.setdefault(kind, []).append(Record.of(answer.resource))
    return found


def _another_patient(probe: Probe, a: str) -> str:
    """The first one that has records, else the first one, that a backend service or everybody's reader finds."""
    found = list(dict.fromkeys(_patients(probe, a)))
    with_records = (each for each in found[:TRIED] if _records(probe, each))
    return next(with_records, found[0] if found else "")


def _patients(probe: Probe, a: str) -> Iterator[str]:
    for scope, whose in ((SERVICE, ""), ("user/*.rs", "")):
        try:
            answer = probe.search("Patient", probe.token(scope, whose), ("_count", SHOWN))
        except Skip:
            continue
        found = (str(each.get("id") or "") for each in answer.entries)
        yield from (each for each in found if each not in ("", a) and not leads_up(each))


def _records(probe: Probe, patient: str) -> Mapping[str, Sequence[Record]]:
    """What this patient's own token finds, in the types that the server says it has."""
    try:
        token = probe.reader(patient)
    except Skip:
        return {}
    kinds = [
        kind
        for kind in TYPES
        if probe.facts.may_do(kind, "search-type") and probe.facts.may_search_by(kind, PARAMETERS.get(kind, "patient"))
    ]
    found = ((kind, _found(probe, kind, patient, token)) for kind in kinds)
    return {kind: records for kind, records in found if records}


def _found(probe: Probe, kind: str, patient: str, token: GivenToken) -> list[Record]:
    answer = probe.search(kind, token, (PARAMETERS.get(kind, "patient"), patient), ("_count", SHOWN))
    own = (Record.of(each) for each in answer.entries if answer.is_ok and each.get("resourceType") == kind)
    named = (record for record in own if record.id and not leads_up(record.id))
    return [record for record in named if not _is_of_another(record, patient)]


def _is_of_another(record: Record, patient: str) -> bool:
    """Whether a search for this patient's records has been left out of account."""
    about = set(subjects(record.content))
    return bool(about) and patient not in about


def _imagined(letter: str, patient: str) -> Person:
    """Somebody with a record of each type, to say what would be sent."""
    records = {kind: [Record(kind, f"{letter.lower()}-{kind.lower()}", "1")] for kind in TYPES}
    return Person(letter, patient, records)
