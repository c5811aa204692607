"""Nothing is served that was not declared."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.urls import URLResolver, get_resolver

from fhir import urls
from fhir.http import interactions
from fhir.http.routes import Route
from fhir.http.views import FhirView
from fhir.versions.version import Version, load_version
from smart.decisions.interactions import LETTERS
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

R4 = load_version("r4")
TYPES = frozenset({"Patient"})


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize(
    ("path", "declared", "types"),
    [
        pytest.param("<str:type>/<str:id>", {}, TYPES, id="no interaction"),
        pytest.param("<str:type>/<str:id>", {"GET": "peek"}, TYPES, id="an interaction without a letter"),
        pytest.param("<str:type>/<str:id>", {"GET": ""}, TYPES, id="an empty interaction"),
        pytest.param("<str:type>/<str:id>", {"GET": "read"}, frozenset(), id="no type"),
        pytest.param("Patient/<str:id>", {"GET": "read"}, TYPES, id="a path that does not tell the type"),
        pytest.param("<str:type>/x", {"GET": "read", "POST": "capabilities"}, TYPES, id="public beside protected"),
        pytest.param("<str:type>/x", {"FETCH": "read"}, TYPES, id="an unknown method"),
    ],
)
def test_a_route_without_a_declared_interaction_and_type_cannot_be_registered(
    path: str, declared: dict[str, str], types: frozenset[str]
) -> None:
    with pytest.raises(ImproperlyConfigured):
        urls.url_pattern(R4, Route(path, declared, types))


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize(
    "initkwargs", [{}, {"version": R4}, {"route": Route("metadata", {"GET": "capabilities"})}, {"route": "metadata"}]
)
def test_the_view_cannot_be_mounted_without_a_route(initkwargs: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        FhirView.as_view(**initkwargs)


@pytest.mark.requirement("SD-23")
def test_every_mounted_path_is_a_route_and_only_the_statement_is_public() -> None:
    (included,) = get_resolver("tests.fhir.urls").url_patterns
    assert isinstance(included, URLResolver)

    routes = [getattr(pattern.callback, "view_initkwargs", {}).get("route") for pattern in included.url_patterns]

    assert all(isinstance(route, Route) for route in routes)
    assert [route.path for route in routes if isinstance(route, Route) and route.public] == ["metadata"]


def test_every_letter_of_a_scope_is_some_interactions() -> None:
    assert set(LETTERS.values()) == set("cruds")


@pytest.mark.parametrize("promised", [{"Patient": ("read", "delete")}, {"Patience": ("read",)}])
def test_a_version_cannot_promise_what_nobody_does(
    monkeypatch: pytest.MonkeyPatch, promised: dict[str, tuple[str, ...]]
) -> None:
    kinds = {name: replace(R4.types["Patient"], name=name, interactions=done) for name, done in promised.items()}
    promising: Version = replace(R4, types=kinds)
    monkeypatch.setattr(urls, "load_version", lambda key: promising)

    with pytest.raises(ImproperlyConfigured):
        list(urls.url_patterns("r4"))


@pytest.mark.usefixtures("records")
def test_a_method_that_is_not_served_names_those_that_are(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.cruds", patient="amy")

    answers = {
        path: fetch(path, method="DELETE").headers["Allow"] for path in ("Observation", "Condition", "Patient/amy")
    }

    assert answers == {"Observation": "GET, HEAD", "Condition": "", "Patient/amy": "GET, HEAD"}
    assert fetch("Patient/_search").headers["Allow"] == "POST"
    assert fetch("metadata", method="POST", token=None).headers["Allow"] == "GET, HEAD"


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND", "X"])
def test_an_unheard_of_method_is_405_after_the_token(fetch: Fetch, introspection: Introspection, method: str) -> None:
    introspection.knows("patient/*.cruds", patient="amy")

    for path in ("Patient/amy", "Patient/ben", "no/such/path"):
        assert fetch(path, method=method, token=None).status == 401
        assert fetch(path, method=method).status in (404, 405)


@pytest.mark.requirement("TV-27")
@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    ("failure", "status"), [(RuntimeError("patient amy"), 500), (OperationalError("host amy"), 503)]
)
def test_a_failure_says_nothing_about_itself(
    fetch: Fetch,
    introspection: Introspection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    status: int,
) -> None:
    introspection.knows("patient/*.rs", patient="amy")

    def fail(call: interactions.Interaction) -> str:
        raise failure

    monkeypatch.setattr(interactions, "HANDLERS", {**interactions.HANDLERS, "search-type": fail})

    answer = fetch("Patient")

    assert answer.status == status
    assert answer.body["resourceType"] == "OperationOutcome"
    assert "amy" not in answer.text + caplog.text
