"""Where a request is decided: what is done here for nobody is said first, and what a type lacks is done for nobody."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fhir.http import enforcement
from fhir.http.enforcement import not_allowed, require_served
from fhir.http.interaction import Asked
from fhir.models import Record
from fhir.operation_outcome import MethodNotAllowed, TypeNotServed
from fhir.versions.version import load_version
from smart.decisions.interactions import parse_path
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

R4 = load_version("r4")
OWN = "Patient/amy"
READ_ONLY = replace(R4, types={"Patient": replace(R4.types["Patient"], interactions=("read", "search-type"))})


@pytest.mark.usefixtures("records")
def test_what_is_done_for_nobody_goes_before_what_is_refused_of_parameters(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/*.rs", patient="amy")

    assert fetch("Account?_include=*").alike == fetch("Account").alike
    assert (fetch("Account").status, fetch("Patient?_include=*").status) == (404, 400)


@pytest.mark.requirement("SD-23")
def test_a_type_is_served_as_far_as_its_version_says() -> None:
    assert require_served(READ_ONLY, Asked("HEAD", parse_path(["Patient", "amy"]))) is READ_ONLY.types["Patient"]

    refusals = [("DELETE", ["amy"], "GET, HEAD"), ("POST", [], "GET, HEAD"), ("PUT", [], "GET, HEAD")]
    for method, below, allowed in (*refusals, ("GET", ["_search"], "POST")):
        with pytest.raises(MethodNotAllowed) as refused:
            require_served(READ_ONLY, Asked(method, parse_path(["Patient", *below])))
        assert refused.value.headers == {"Allow": allowed}
    with pytest.raises(TypeNotServed):
        require_served(READ_ONLY, Asked("GET", parse_path(["Observation", "amy"])))


def test_at_a_type_that_is_not_served_no_method_is() -> None:
    assert not_allowed(READ_ONLY, parse_path(["Observation"])).headers == {"Allow": ""}


@pytest.mark.requirement("WR-11", "SD-23")
@pytest.mark.usefixtures("records")
def test_a_condition_is_a_search_among_what_the_caller_sees(fetch: Fetch, introspection: Introspection) -> None:
    created = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": OWN}}
    form: dict[str, Any] = {"method": "POST", "data": json.dumps(created).encode(), "content_type": "application/json"}

    found = []
    for scope in ("patient/Observation.c", "patient/Observation.cs"):
        introspection.knows(scope, patient="amy")
        found += [fetch("Observation", **form, HTTP_IF_NONE_EXIST=f"_id={id_}").status for id_ in ("lab-a", "lab-b")]

    assert found == [403, 403, 200, 201]


@pytest.mark.usefixtures("records")
def test_a_method_that_fhir_does_not_have_there_is_405_and_a_path_that_it_does_not_have_404(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/*.cruds", patient="amy")

    no_method, no_path = fetch("Patient/amy", method="POST"), fetch("Patient/amy/b/c/d")

    assert (no_method.status, no_method.headers["Allow"]) == (405, "GET, PUT, PATCH, DELETE, HEAD")
    assert (no_path.status, fetch("Patient/amy/*").status) == (404, 200)


@pytest.mark.usefixtures("records")
def test_a_write_is_stored_with_its_event_or_not_at_all(
    fetch: Fetch, introspection: Introspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    introspection.knows("patient/Observation.cruds", patient="amy")
    versions = Record.objects.values_list("resource_id", "number")
    before = set(versions.all())
    about = {"code": {"text": "x"}, "subject": {"reference": OWN}}
    sent = {"resourceType": "Observation", "id": "lab-a", "status": "final", **about}

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    monkeypatch.setattr(enforcement, "record_access", failing)
    form: dict[str, Any] = {"data": json.dumps(sent).encode(), "content_type": "application/fhir+json"}
    asked = (("POST", "Observation"), ("PUT", "Observation/lab-a"), ("DELETE", "Observation/lab-a"))

    assert [fetch(path, method=method, **form).status for method, path in asked] == [500] * 3
    assert set(versions.all()) == before
