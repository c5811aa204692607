"""What is written beside each version says what the version says, whatever is done to it."""

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from fhir.models import Membership, Record
from fhir.store.loading import load_file
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")
JSON = "application/fhir+json"
REPEATED = ("patient", "fhir_version", "type", "is_here")


def repeated() -> set[tuple[Any, ...]]:
    return set(Membership.objects.values_list("record", *REPEATED))


def said() -> set[tuple[Any, ...]]:
    """The same, as the records themselves say it."""
    return {
        (one.pk, member.patient, one.fhir_version, one.type, one.is_current and not one.is_deleted)
        for one in Record.objects.prefetch_related("memberships")
        for member in one.memberships.all()
    }


@pytest.mark.requirement("PC-19")
def test_whose_records_are_here_is_said_after_each_write(
    fetch: Fetch, introspection: Introspection, tmp_path: Any
) -> None:
    introspection.knows("patient/*.cruds", patient="amy")
    text = json.loads(Record.objects.get(resource_id="lab-a").content)
    assert fetch("Observation/lab-a", method="PUT", data=json.dumps(text), content_type=JSON).status == 200
    assert fetch("Observation", method="POST", data=json.dumps(text), content_type=JSON).status == 201
    for name in ("lab-a", "vital-a"):
        assert fetch(f"Observation/{name}", method="DELETE").status == 204
    past = [{"resource": {**text, "id": "with-a-past"}}, {}, {"resource": {**text, "id": "with-a-past"}}]
    history = {"resourceType": "Bundle", "type": "history", "entry": past}
    (tmp_path / "r4.json").write_text(json.dumps([text, history]))
    load_file(tmp_path / "r4.json")  # lab-a is back

    assert repeated() == said()
    ends = dict(Membership.objects.order_by("record").values_list("record__resource_id", "is_here"))
    assert (ends["lab-a"], ends["vital-a"], ends["with-a-past"]) == (True, False, True)
    assert Membership.objects.filter(is_here=False).count() == 7


def test_what_was_here_before_it_was_said_is_told_alike() -> None:
    Record.objects.filter(resource_id="lab-a").update(is_deleted=True)
    Record.objects.filter(resource_id="vital-a").update(is_current=False)
    Membership.objects.update(fhir_version="", type="", is_here=False)

    import_module("fhir.migrations.0007_membership_by_type").repeat_the_record(apps, None)

    assert repeated() == said()
