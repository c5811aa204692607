"""Where a request is decided: what is done here for nobody is said first, and what a type lacks is done for nobody."""

from dataclasses import replace

import pytest

from fhir.http.enforcement import require_served
from fhir.http.interaction import Asked
from fhir.operation_outcome import MethodNotAllowed, TypeNotServed
from fhir.versions.version import load_version
from smart.decisions.interactions import parse_path
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

R4 = load_version("r4")
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

    for method, below, allowed in (
        ("DELETE", ["amy"], "GET, HEAD"),
        ("POST", [], "GET, HEAD"),
        ("PUT", [], "GET, HEAD"),
    ):
        with pytest.raises(MethodNotAllowed) as refused:
            require_served(READ_ONLY, Asked(method, parse_path(["Patient", *below])))
        assert refused.value.headers == {"Allow": allowed}
    with pytest.raises(TypeNotServed):
        require_served(READ_ONLY, Asked("GET", parse_path(["Observation", "amy"])))
