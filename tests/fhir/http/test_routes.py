"""Nothing is served but what FHIR has, this server does, and the decision allows."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.urls import resolve

from fhir import urls
from fhir.http import enforcement, handlers
from fhir.http.answer import Answer
from fhir.http.interaction import Interaction
from fhir.http.views import FhirView
from fhir.versions.version import Version, load_version
from smart.decisions.interactions import BATCH, CAPABILITIES, LETTERS, LETTERS_OF_EACH, PATHS
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

R4 = load_version("r4")


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize("initkwargs", [{}, {"version": "r4"}])
def test_the_view_cannot_be_mounted_without_a_version(initkwargs: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        FhirView.as_view(**initkwargs)


@pytest.mark.requirement("SD-23")
def test_every_path_below_a_base_leads_to_the_one_view_that_decides() -> None:
    for below in (
        "",
        "/",
        "/metadata",
        "/Patient/amy",
        "/Patient/amy/",
        "/a/b/c/d/e",
        "/%00",
        "/Patient/a\nb",
        "/a/b\r\nc/d",
    ):
        view = resolve(f"/fhir/r4{below}", "tests.fhir.urls").func
        assert getattr(view, "view_class", None) is FhirView


@pytest.mark.requirement("SD-23")
def test_what_is_done_at_a_path_has_a_letter_and_only_the_statement_is_public() -> None:
    kinds = {kind for at_path in PATHS.values() for kind in at_path.values()}

    assert kinds == {*LETTERS, *LETTERS_OF_EACH, CAPABILITIES, BATCH}
    assert [path for path, kinds in PATHS.items() if CAPABILITIES in kinds.values()] == [("metadata",)]


@pytest.mark.parametrize("promised", [{"Patient": ("read", "purge")}, {"Patience": ("read",)}])
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

    assert fetch("Patient/amy", method="POST").headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD"
    assert fetch("Patient", method="PURGE").headers["Allow"] == "GET, POST, PUT, PATCH, DELETE, HEAD"
    assert fetch("Patient/amy/_history", method="DELETE").headers["Allow"] == "GET, HEAD"
    assert fetch("Patient/_search").headers["Allow"] == "POST"
    assert fetch("", method="PUT").headers["Allow"] == "GET, POST, HEAD"
    assert fetch("_history", method="POST").headers["Allow"] == "GET, HEAD"
    assert fetch("Patient/amy/Observation", method="POST").headers["Allow"] == "GET, HEAD"
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

    def fail(call: Interaction) -> Answer:
        raise failure

    monkeypatch.setattr(enforcement, "HANDLERS", {**handlers.HANDLERS, "search-type": fail})

    answer = fetch("Patient")

    assert answer.status == status
    assert answer.body["resourceType"] == "OperationOutcome"
    assert "amy" not in answer.text + caplog.text
