"""What a patch may cost: it copies no more than a request may hold, and measures what it copies alone."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fhir.http import patching
from fhir.http.patching import patched
from fhir.operation_outcome import Unprocessable
from smart.fhir import json_text

pytestmark = [pytest.mark.one_engine, pytest.mark.requirement("SD-20")]

COPY = {"op": "copy", "from": "/a", "path": "/b"}


def after(content: dict[str, Any], *operations: dict[str, Any]) -> Any:
    return json.loads(patched(json.dumps(content), json.dumps(operations), may_read=True))


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching, "MAX_BATCH_BODY", 1000)


@pytest.mark.usefixtures("bound")
def test_all_copies_of_a_patch_together_have_a_bound() -> None:
    content = {"a": "x" * 298}

    assert after(content, *[COPY] * 3) == {**content, "b": content["a"]}
    with pytest.raises(Unprocessable):
        after(content, *[COPY] * 4)


@pytest.mark.usefixtures("bound")
def test_no_patch_makes_a_resource_larger_than_any_that_can_be_sent() -> None:
    content = {"a": "x" * 500}

    assert after(content, {"op": "add", "path": "/b", "value": "x" * 485})
    with pytest.raises(Unprocessable):
        after(content, {"op": "add", "path": "/b", "value": "x" * 486})


def test_a_long_resource_in_any_script_is_patched() -> None:
    content = {"a": "ж" * 200_000}

    assert after(content, {**COPY, "path": "/c"}, {"op": "add", "path": "/b", "value": 1}) == {
        **content, "b": 1, "c": content["a"],
    }  # fmt: skip


def test_a_copy_measures_what_is_copied_and_not_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()

    def counted(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def count(value: Any) -> Any:
            calls[name] += 1
            return function(value)

        return count

    monkeypatch.setattr(json_text, "dumps", counted("dumps", json_text.dumps))
    monkeypatch.setattr(patching, "_length", counted("length", patching._length))

    after({"a": 1, "many": [1] * 1000}, *[COPY] * 50)

    assert (calls["dumps"], calls["length"]) == (1004, 1054)


@pytest.mark.parametrize(
    "value", [{}, [], {"a": 1, "b": [True, None, False]}, ["x", {"y": "z"}, 72], "ж", {"n": {"o": []}}]
)
def test_a_length_is_that_of_the_json(value: Any) -> None:
    assert patching._length(value) == len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.parametrize("copy", [{"op": "copy", "path": "/b"}, {**COPY, "from": 7}, {**COPY, "from": "/none"}])
def test_a_copy_of_nothing_does_not_apply(copy: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        after({"a": 1}, copy)
