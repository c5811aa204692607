"""NDJSON of what was recorded, and cutting off what is old: the tables themselves refuse any other change."""

import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from fhir import clock
from fhir.audit import export
from fhir.audit.models import Entry, Value
from fhir.audit.outbox import new_row, record
from fhir.audit.shipping import ship
from fhir.audit.strangers import Strangers
from tests.fhir.audit.test_shipping import FACTS

pytestmark = [pytest.mark.django_db(databases=["default", "audit"]), pytest.mark.requirement("SD-10")]

FIRST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def recorded(empty_trail: None) -> None:
    """A write on each of five days."""
    moments = [FIRST + timedelta(days=day) for day in range(5)]
    record([new_row({**FACTS, "at": int(moment.timestamp()) * 1_000_000}) for moment in moments])
    ship()


def exported(*options: str) -> list[str]:
    out, err = StringIO(), StringIO()
    call_command("fhir-audit", "export", *options, stdout=out, stderr=err)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    kind = options[options.index("--type") + 1] if "--type" in options else "AuditEvent"
    assert re.fullmatch(rf"{len(lines)} {kind}, complete until [0-9T:.+-]+\n", err.getvalue())
    assert {line["resourceType"] for line in lines} <= {kind}
    return [line["recorded"][:10] for line in lines]


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ([], [1, 2, 3, 4, 5]),
        (["--type", "Provenance"], [1, 2, 3, 4, 5]),
        (["--since", "2020-01-04"], [4, 5]),
        (["--until", "2020-01-02"], [1]),
        (["--since", "2020-01-02T00:00:01Z", "--until", "2020-01-04T01:00:00+01:00"], [3]),
        (["--fhir-version", "stu3"], []),
    ],
)
def test_each_resource_is_a_line_in_the_order_of_time(
    options: list[str], days: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PART", 2)

    assert exported(*options) == [f"2020-01-0{day}" for day in days]


def test_it_says_until_when_nothing_is_missing_so_that_the_next_one_begins_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(*options: str) -> str:
        err = StringIO()
        call_command("fhir-audit", "export", *options, stdout=StringIO(), stderr=err)
        return err.getvalue().strip().rpartition(" ")[2]

    now = int((FIRST + timedelta(days=9)).timestamp()) * 1_000_000
    monkeypatch.setattr(clock, "now", lambda: now)
    assert told() == "2020-01-09T23:59:00+00:00"  # what was asked a minute ago has been answered
    assert told("--until", "2020-01-02") == "2020-01-02T00:00:00+00:00"
    record([new_row({**FACTS, "at": int((FIRST + timedelta(days=3)).timestamp()) * 1_000_000})])
    assert told() == "2020-01-04T00:00:00+00:00"  # an event of that day waits


def test_no_refusal_of_a_stranger_comes_later_with_a_moment_that_was_said_to_be_complete(
    counted: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = int((FIRST + timedelta(days=9)).timestamp()) * 1_000_000
    times = iter([window + 300_000_000, window + 599_000_000])
    monkeypatch.setattr(clock, "now", lambda: next(times))
    complete = export.complete_until()

    counted.add("r4", str(FACTS["base"]), "203.0.113.1", 401)
    counted.flush()
    ship(window + 700_000_000)

    moment = Entry.objects.latest("pk").moment
    assert complete < moment == FIRST + timedelta(days=9, minutes=10)


def test_at_most_a_part_is_read_at_once(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(export, "PART", 2)
    with django_assert_num_queries(1, using="audit"):
        next(export.resources("r4", "AuditEvent"))


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-01-01T99:00Z", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        call_command("fhir-audit", "cut", f"--before={text}", "--yes")


def test_what_is_cut_is_gone_with_all_that_was_indexed_of_it() -> None:
    out = StringIO()
    call_command("fhir-audit", "cut", "--before", "2020-01-04", "--yes", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"deleted": 6, "before": "2020-01-04T00:00:00+00:00"}
    assert exported() == ["2020-01-04", "2020-01-05"]
    assert set(Value.objects.values_list("record", flat=True)) == set(Entry.objects.values_list("pk", flat=True))
    with pytest.raises(DatabaseError), transaction.atomic(using="audit"):
        Entry.objects.all().delete()


def test_nothing_is_cut_by_mistake() -> None:
    with pytest.raises(CommandError, match="--yes"):
        call_command("fhir-audit", "cut", "--before", "2021-01-01")

    assert len(exported()) == 5


@pytest.mark.parametrize("model", [Entry, Value])
@pytest.mark.parametrize("change", ["delete", "update"])
def test_the_tables_refuse_every_change(model: Any, change: str) -> None:
    found = model.objects.all()
    count = found.count()

    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(using="audit"):
        found._raw_delete("audit") if change == "delete" else found.update(id=0)

    assert found.count() == count
