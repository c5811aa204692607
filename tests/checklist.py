"""The checklist for FHIR servers as tables (docs/specification/resource-server.md): which tokens, which requests."""

from collections.abc import Mapping
from typing import Any, NamedTuple

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_LABORATORY, _VITAL = f"category={CATEGORY}|laboratory", f"category={CATEGORY}|vital-signs"

# patient A is amy, B is ben (resource-server.md, Tokens)
SCOPES_OF_AMY: Mapping[str, str] = {
    "Tp": "patient/*.rs",
    "TpR": "patient/Observation.r",
    "TpS": "patient/Observation.s",
    "TpRS": "patient/Observation.rs",
    "TpCat": f"patient/Observation.rs?{_LABORATORY} patient/Patient.r",
    "TpTwoCats": f"patient/Observation.rs?{_LABORATORY} patient/Observation.s?{_VITAL}",
    "TpCatOrAll": f"patient/Observation.rs?{_VITAL} patient/Observation.s",
    "TpOdd": "patient/Observation.rs?category:in=x patient/Observation.rs?nonsense=1",
    "TpC": "patient/Observation.c",
    "TpU": "patient/Observation.u",
    "TpD": "patient/Observation.d",
    "TpCUD": "patient/Observation.cud",
    "Tv1r": "patient/Observation.read",
    "Tv1w": "patient/Observation.write",
    "Tv1a": "patient/Observation.*",
    "TpAll": "patient/*.cruds",
    "TpPatients": "patient/Patient.rs",
    "Tno": "openid fhirUser",
}


def tokens(base: str) -> Mapping[str, Mapping[str, Any]]:
    """What introspection says of each of the tokens, beside what it says of every good one."""
    person = {"fhirUser": f"{base}/Practitioner/dr-green"}
    service = {"sub": "demo-backend", "client_id": "demo-backend"}
    return {
        **{name: {"scope": scope, "patient": "amy"} for name, scope in SCOPES_OF_AMY.items()},
        "TpNobody": {"scope": "patient/*.cruds"},
        "Tu": {"scope": "user/*.rs", **person, "__patients": ["amy"]},
        "Tua": {"scope": "user/*.cruds", **person, "__patients": ["amy", "ben"]},
        "TuNobody": {"scope": "user/*.rs", **person, "__patients": []},
        "TuOwn": {"scope": "openid fhirUser", **person},
        "Tmix": {
            "scope": "patient/Observation.rs user/Practitioner.rs",
            "patient": "amy",
            **person,
            "__patients": ["ben"],
        },
        "TmixWide": {
            "scope": f"patient/Observation.rs user/Observation.rs?{_VITAL}",
            "patient": "amy",
            **person,
            "__patients": ["amy", "ben"],
        },
        "Ts": {"scope": "system/*.rs", **service},
        "TsAll": {"scope": "system/*.cruds", **service},
        "TsObs": {"scope": "system/Observation.rs", **service},
        "TsO+P": {"scope": "system/Observation.rs system/Patient.rs", **service},
        "TsOfPerson": {"scope": "system/*.rs", **person},
        "Texp": {"scope": "patient/*.rs", "patient": "amy", "exp": 1},
        "Trev": {"active": False},
        "Taud": {"scope": "patient/*.rs", "patient": "amy", "aud": f"{base}-other"},
        "Tcnf": {"scope": "patient/*.rs", "patient": "amy", "cnf": {"jkt": "x"}},
    }


class Asked(NamedTuple):
    """A request below a base; `form` is the body of a search by POST."""

    method: str
    url: str
    form: str = ""


# what of the checklist has a path; {own} and {hidden} are Observations of amy and ben, {problem} is of amy
_LINES = """
GET Patient/amy
HEAD Patient/amy
GET Patient/ben
GET Patient/no-such-id
GET Patient/Amy
GET Patient/amy/_history/1
GET Patient/ben/_history
GET Patient
GET Patient?_id=amy
GET Patient?_id=ben
GET Patient?_id=amy,ben&_summary=count
GET Patient?name=Whitlock
GET Patient?name=Whitlock&_count=0
GET Patient?gender:not=female
PUT Patient/amy
DELETE Patient/ben
POST Patient
GET Observation/{own}
HEAD Observation/{own}
GET Observation/{hidden}
GET Observation/no-such-id
GET Observation/{own}?_elements=id
GET Observation/{own}/_history/1
GET Observation/{own}/_history
GET Observation/{hidden}/_history/1
GET Observation/_history
GET Observation/_history?_count=1
PUT Observation/{own}
PUT Observation/{hidden}
PUT Observation/no-such-id
PATCH Observation/{own}
PATCH Observation/{hidden}
DELETE Observation/{own}
DELETE Observation/{hidden}
DELETE Observation/no-such-id
POST Observation
PUT Observation?identifier=x
PATCH Observation?code=x
DELETE Observation?code=x
DELETE Observation
GET Observation
HEAD Observation
GET Observation?patient=amy
GET Observation?patient=ben
GET Observation?subject=Patient/ben
GET Observation?patient=amy,ben&_summary=count
GET Observation?patient=amy&patient=ben
GET Observation?subject:Patient=ben
GET Observation?patient:identifier=x
GET Observation?_id={hidden}
GET Observation?_id={own},{hidden}
GET Observation?category=laboratory,vital-signs
GET Observation?category:not=laboratory
GET Observation?category:missing=true
GET Observation?pateint=amy
GET Observation?_count=0
GET Observation?_count=1&_offset=1
GET Observation?_total=accurate
GET Observation?_elements=id&_summary=true
GET Observation?_lastUpdated=gt2000
GET Observation?date=yesterday
GET Observation?subject.name=Whitlock
GET Observation?subject:Patient.name=Whitlock
GET Observation?encounter.type=x
GET Observation?_has:Provenance:target:agent=x
GET Observation?_sort=subject.name
GET Observation?_sort=date
GET Observation?_list=l
GET Observation?_filter=code%20eq%20x
GET Observation?_query=q
GET Observation?_contained=both
GET Observation?_include=Observation:subject
GET Observation?_include=Observation:performer
GET Observation?_include=*
GET Observation?_include:iterate=Observation:subject
GET Observation?_revinclude=Provenance:target
GET Observation?_revinclude=*
GET Patient?_revinclude=Observation:subject
GET Patient?_has:Observation:patient:code=x
POST Observation/_search | patient=ben
POST Observation/_search | patient=amy&_count=1
POST Observation/_search?patient=ben | patient=amy
POST Observation/_search | subject.name=Whitlock
POST Patient/_search | _id=ben
GET Condition/{problem}
GET Condition/no-such-id
GET Condition
GET Encounter
GET Practitioner
GET Practitioner/dr-green
GET Practitioner/no-such-id
GET MedicationRequest
GET MedicationRequest/1
POST MedicationRequest
GET Nonsense/1
GET Nonsense
GET Observation/_search
GET Patient/ben/Observation
GET Patient/amy/*
GET Patient/ben/_search
GET Patient/amy/$everything
POST Patient/ben/$everything
POST Observation/$lastn
GET Patient/amy/Observation
GET Patient/amy/Observation?code=x
GET Patient/amy/Practitioner
GET Patient/ben/*
GET Patient/no-such-id/*
GET Patient/no-such-id/Observation
POST Patient/amy/Observation/_search | code=x
POST Patient/ben/*/_search
GET Patient/amy/Nonsense
GET Patient/ben/$everything
GET Patient/no-such-id/$everything
GET Patient/amy/$everything?_type=Condition
GET Patient/$everything
GET Encounter/no-such-id/$everything
GET $export
GET $graphql
GET _history
GET _history?_type=Observation
GET ?_type=Observation,Patient
GET ?_type=Observation&subject.name=Whitlock
GET ?_type=Observation,Nonsense
GET
POST _search | _type=Observation
POST Observation/{own}
PURGE Observation/{own}
GET Observation/..
GET Observation/{own}/_history/1/2
""".strip().splitlines()


def requests(**names: str) -> list[Asked]:
    """The requests, with the ids of a server's records."""
    found = []
    for line in _LINES:
        request, _, form = line.format(**names).partition(" | ")
        method, _, url = request.partition(" ")
        found.append(Asked(method, url, form))
    return found


class Rights(NamedTuple):
    """What a token of the matrix may do: letters for Observations, for every other type, and with whose records."""

    scope: str
    observations: str
    others: str
    patients: frozenset[str]
    claims: Mapping[str, Any]


_AMY, _ALL = frozenset({"amy"}), frozenset({"amy", "ben"})
_SERVICE = {"sub": "demo-backend", "client_id": "demo-backend"}
MATRIX_TOKENS: Mapping[str, Rights] = {
    **{
        name: Rights(SCOPES_OF_AMY[name], observations, others, _AMY, {"patient": "amy"})
        for name, observations, others in (
            ("Tp", "rs", "rs"), ("TpR", "r", ""), ("TpS", "s", ""), ("TpRS", "rs", ""), ("TpC", "c", ""),
            ("TpU", "u", ""), ("TpD", "d", ""), ("TpCUD", "cud", ""), ("Tv1r", "rs", ""), ("Tv1w", "cud", ""),
            ("Tv1a", "cruds", ""), ("TpAll", "cruds", "cruds"), ("Tno", "", ""),
        )
    },
    "Tu": Rights("user/*.rs", "rs", "rs", _AMY, {"fhirUser": "Practitioner/dr-okafor", "__patients": ["amy"]}),
    "Tua": Rights("user/*.cruds", "cruds", "cruds", _ALL, {"fhirUser": "Practitioner/x", "__patients": ["amy", "ben"]}),
    "Ts": Rights("system/*.rs", "rs", "rs", _ALL, _SERVICE),
    "TsObs": Rights("system/Observation.rs", "rs", "", _ALL, _SERVICE),
}  # fmt: skip


class Expected(NamedTuple):
    """A request of the matrix: which letters of which type it needs, whose record it is about, "" for a search of all.

    `never` is the same request about an id that never was.
    """

    line: str
    letters: str
    type: str
    of: str
    never: str = ""


MATRIX_REQUESTS = tuple(
    Expected(*row)
    for row in (
        ("GET Patient/amy", "r", "Patient", "amy"),
        ("GET Patient/ben", "r", "Patient", "ben", "GET Patient/never-was"),
        ("GET Observation/amy-weight-1", "r", "Observation", "amy"),
        ("HEAD Observation/ben-weight-1", "r", "Observation", "ben", "HEAD Observation/never-was"),
        ("GET Observation/ben-weight-1", "r", "Observation", "ben", "GET Observation/never-was"),
        ("GET Observation/amy-weight-1/_history/1", "r", "Observation", "amy"),
        ("GET Observation/ben-weight-1/_history/1", "r", "Observation", "ben", "GET Observation/never-was/_history/1"),
        ("GET Observation/amy-weight-1/_history", "r", "Observation", "amy"),
        ("GET Observation/ben-weight-1/_history", "r", "Observation", "ben", "GET Observation/never-was/_history"),
        ("GET Condition/amy-asthma", "r", "Condition", "amy"),
        ("GET Condition/ben-diabetes", "r", "Condition", "ben", "GET Condition/never-was"),
        ("GET Observation?_count=200", "s", "Observation", ""),
        ("GET Observation?patient=ben", "s", "Observation", ""),
        ("GET Observation/_history?_count=200", "s", "Observation", ""),
        ("GET _history?_type=Observation&_count=200", "s", "Observation", ""),
        ("GET ?_type=Observation&_count=200", "s", "Observation", ""),
        ("GET Patient/amy/Observation?_count=200", "s", "Observation", ""),
        ("GET Patient/ben/Observation?_count=200", "s", "Observation", ""),
        ("GET Patient/ben/Condition?_count=200", "s", "Condition", ""),
        ("GET Patient/amy/$everything?_count=200", "rs", "Patient", "amy"),
        ("GET Patient/ben/$everything", "rs", "Patient", "ben", "GET Patient/never-was/$everything"),
        ("PUT Observation/amy-weight-1", "u", "Observation", "amy"),
        ("PUT Observation/ben-weight-1", "u", "Observation", "ben", "PUT Observation/never-was"),
        ("DELETE Observation/amy-weight-1", "d", "Observation", "amy"),
        ("DELETE Observation/ben-weight-1", "d", "Observation", "ben", "DELETE Observation/never-was"),
        ("POST Observation", "c", "Observation", "amy"),
    )
)
