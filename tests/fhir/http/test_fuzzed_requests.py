"""Thousands of odd requests, half of them with a good token: no failure, and nothing of another patient.

`FUZZ_REQUESTS=10000` makes as many, `FUZZ_SEED=3` others; what fails names its seed, by which it is drawn again.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import include, path
from pytest_django.fixtures import Settings

from fhir.models import Membership, Record
from fhir.store.loading import load_file
from fhir.urls import urlpatterns
from smart.fhir.id import is_fhir_id
from tests.fhir.conftest import Introspection
from tests.fhir.http.fuzzed_requests import VERSIONS, Fuzzed, Source
from tests.running import ROOT

BASES = {version: f"http://127.0.0.1:8000/fhir/{version}" for version in VERSIONS}
EVERY_BASE = ModuleType("every_base")
EVERY_BASE.__dict__["urlpatterns"] = [path("fhir/", include(urlpatterns))]
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "600"))
SEED = os.environ.get("FUZZ_SEED", "16")
TOGETHER = 20  # requests that see what those before them wrote
SHARING = {"amy", "ben", "zoe-arceneaux", "hugo-fairweather"}  # records of two of them have the canary "both"


@pytest.fixture
def sources(db: None, settings: Settings) -> list[Source]:
    """The demo of every version, with a canary in each record of one patient."""
    settings.SMARTAUTH_FHIR_BASES, settings.ROOT_URLCONF = BASES, EVERY_BASE
    Record.objects.all().delete()
    found = []
    for version in VERSIONS:
        load_file(ROOT / f"demo/fhir/{version}.json")
        content = [
            json.loads(one) for one in Record.objects.filter(fhir_version=version).values_list("content", flat=True)
        ]
        found.append(Source(version, BASES[version], content))
    return found


def allowed_patients(claims: Mapping[str, Any] | None) -> set[str] | None:
    """Whose records a caller may be shown, None for everybody's."""
    if claims is None or claims.keys() & {"active", "aud", "exp"}:  # no good token, or not here, or no more
        return set()
    if claims.get("sub") == "demo-backend":
        return None
    found = {one for one in (claims.get("patient"), *claims.get("__patients", ())) if is_fhir_id(one)}
    return found | {"both"} if found & SHARING else found


class Fuzz:
    """Sends what was drawn, and judges each answer as it comes."""

    def __init__(self, client: Client, introspection: Introspection) -> None:
        self.client, self.introspection = client, introspection
        self.faults: list[str] = []
        self.statuses: dict[int, int] = {}
        self.written = 0

    def send(self, seed: str, asked: Fuzzed) -> None:
        self.introspection.says(active=False)
        if asked.claims is not None:
            self.introspection.knows(**{"scope": None, "aud": BASES[asked.version], **asked.claims})
        before = Record.objects.order_by("-pk").values_list("pk", flat=True)[:1].get()
        headers: dict[str, Any] = {**asked.headers}
        kind = headers.pop("CONTENT_TYPE")
        url = f"/fhir/{asked.version}/{asked.path}"
        got = self.client.generic(asked.method, url, asked.body, kind, **headers)
        self.statuses[got.status_code] = self.statuses.get(got.status_code, 0) + 1
        text, patients = got.content.decode(), allowed_patients(asked.claims)
        self.faults += [
            f"{seed} {asked.method} {url}: {fault}" for fault in self._faults(got.status_code, text, patients)
        ]
        self.faults += [f"{seed} {asked.method} {url}: wrote {one}" for one in self._written(before, patients)]

    def _faults(self, status: int, text: str, patients: set[str] | None) -> Iterator[str]:
        if status >= 500:
            yield f"{status} {text[:200]}"
        if patients is not None and (shown := set(re.findall(r"canary-([a-z0-9-]+)", text)) - patients):
            yield f"{status} shows {shown}"
        if text and status >= 400 and not text.startswith('{"resourceType": "OperationOutcome"'):
            yield f"{status} is told as {text[:200]}"

    def _written(self, before: int, patients: set[str] | None) -> Iterator[str]:
        """New versions of records that are nobody's of those patients."""
        written = Record.objects.filter(pk__gt=before)
        self.written += written.count()
        if patients is None:
            return
        own = Membership.objects.filter(patient__in=patients).values("record")
        for record in written.exclude(pk__in=own):
            yield str(record)


@pytest.mark.django_db(databases=["default", "audit"])
@pytest.mark.requirement("SD-18", "SD-25", "SD-27")
def test_whatever_is_sent_nothing_fails_and_nobody_sees_another_patient(
    browserless: Client, introspection: Introspection, sources: list[Source]
) -> None:
    fuzz = Fuzz(browserless, introspection)

    for start in range(0, REQUESTS, TOGETHER):
        with transaction.atomic():
            for number in range(start, min(start + TOGETHER, REQUESTS)):
                seed = f"{SEED}.{number}"
                fuzz.send(seed, sources[number % len(sources)].request(seed))
            transaction.set_rollback(True)

    print(dict(sorted(fuzz.statuses.items())), f"{fuzz.written} writes", sep=", ")  # noqa: T201
    assert fuzz.faults == []
    assert fuzz.statuses[200] > REQUESTS / 20  # not everything is refused for its form
