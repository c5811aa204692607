"""The index answers as the criterion does: what the database finds and what the content says is one rule (GR-15)."""

import json
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fhir.models import Record
from fhir.search.conditions import condition
from fhir.store.versions import add_versions, first_version
from smart.fhir.definitions import definitions
from smart.search.criteria import UnsupportedCriterion, criterion
from tests.fhir.conftest import BASE

pytestmark = pytest.mark.django_db
OBSERVATION, PATIENT = definitions("r4")["Observation"], definitions("r4")["Patient"]
LONG = "x" * 199

systems = st.sampled_from(["http://a", "http://b", "", "a|b", None, 7])
codes = st.sampled_from(["1", "2", "", "1|2", LONG + "aa", LONG + "ab", "nul\0", None, 5, True])
codings = st.fixed_dictionaries({}, optional={"system": systems, "code": codes, "value": codes})
concepts = st.fixed_dictionaries({}, optional={"coding": st.lists(codings, max_size=2) | codings, "text": st.just("t")})
days = st.sampled_from(["2025", "2025-06", "2025-06-04", "2025-06-04T10:00:00Z", "2025-06-04T23:30:00-02:00", "no", 3])
periods = st.fixed_dictionaries({}, optional={"start": days, "end": days})
targets = st.sampled_from(
    ["Patient/a", "Group/a", f"{BASE}/Patient/a", "https://x/Patient/a", "#a", "Patient/a/_history/1"]
)
references: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {}, optional={"reference": targets, "identifier": codings | st.just([])}
)
names = st.sampled_from(["Ärger", "arger", "AR", "", "a%_b", "aé" * 60, "aé" * 60 + "z", "x\0y", 4])

observations = st.fixed_dictionaries(
    {},
    optional={
        "status": codes,
        "category": st.lists(concepts, max_size=2),
        "code": concepts,
        "subject": references,
        "effectiveDateTime": days,
        "effectivePeriod": periods,
    },
)
patients = st.fixed_dictionaries(
    {}, optional={"name": st.lists(st.fixed_dictionaries({"family": names}), max_size=2), "active": st.booleans()}
)
tokens = st.sampled_from(
    [
        "1",
        "2",
        "|1",
        "http://a|1",
        "http://a|",
        "a|b|1",
        "|",
        "",
        "1|2",
        "true",
        LONG + "aa",
        f"|{LONG}ab",
        "http://b|1",
    ]
)
moments = st.builds(
    str.__add__,
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]),
    st.sampled_from(["2025", "2024", "2025-06", "2025-06-04", "2025-06-05T01:00:00Z", "2025-06-04T10:00:00Z"]),
)
refers = st.sampled_from(["a", "Patient/a", "Group/a", f"{BASE}/Patient/a", "b", "", "https://x/Patient/a"])
texts = st.sampled_from(["ar", "AR", "Ärger", "%", "_", "aé" * 60, "aé" * 61, "b", "x", "r"])
asked = st.one_of(
    st.tuples(
        st.sampled_from(["code", "code:not", "category", "category:not", "status"]), st.lists(tokens, min_size=1)
    ),
    st.tuples(st.sampled_from(["date"]), st.lists(moments, min_size=1, max_size=2)),
    st.tuples(
        st.sampled_from(["subject", "patient", "subject:Patient", "subject:Group"]), st.lists(refers, min_size=1)
    ),
    st.tuples(st.just("subject:identifier"), st.lists(tokens, min_size=1)),
    st.tuples(
        st.sampled_from(["code:missing", "date:missing", "subject:missing", "category:missing"]),
        st.sampled_from([["true"], ["false"]]),
    ),
)
names_asked = st.tuples(
    st.sampled_from(["family", "family:exact", "family:contains", "name", "active", "family:missing"]),
    st.lists(texts, min_size=1, max_size=2) | st.sampled_from([["true"], ["false"]]),
)


def is_found(name: str, content: Any, defined: Any, wanted: tuple[str, list[str]]) -> tuple[bool, bool]:
    """What the index and what the content says."""
    Record.objects.all().delete()
    text = json.dumps({"resourceType": name, "id": "one", **content})
    record = first_version("r4", name, "one", text, timezone.now())
    add_versions([record])
    try:
        asked = criterion(defined, wanted[0], wanted[1], BASE)
    except UnsupportedCriterion:
        return False, False
    found = Record.objects.filter(condition(asked, f"r4/{name}")).exists()
    return found, asked.matches(json.loads(record.content))


@pytest.mark.requirement("GR-15", "GR-08", "SD-25")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=observations, wanted=asked)
@example(content={"category": [{"text": "no code"}]}, wanted=("category:missing", ["false"]))
@example(content={"code": {"coding": [{"system": "http://a"}]}}, wanted=("code", ["http://a|"]))
@example(content={"effectiveDateTime": "no"}, wanted=("date", ["ne2025"]))
@example(content={"subject": {"reference": "#a"}}, wanted=("subject", [""]))
def test_observations_are_found_as_they_are_judged(content: Any, wanted: tuple[str, list[str]]) -> None:
    found, is_match = is_found("Observation", content, OBSERVATION, wanted)

    assert found is is_match


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=patients, wanted=names_asked)
@example(content={"name": [{"family": "aé" * 60}]}, wanted=("family", ["aé" * 61]))
@example(content={"name": [{"family": 4}]}, wanted=("family:exact", ["4"]))
def test_patients_are_found_as_they_are_judged(content: Any, wanted: tuple[str, list[str]]) -> None:
    found, is_match = is_found("Patient", content, PATIENT, wanted)

    assert found is is_match
