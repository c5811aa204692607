"""The twenty lines of README, called as the handler of a server calls them."""

from email.message import Message
from typing import Any

import pytest

from tests.docs.pages import blocks
from tests.running import ROOT, free_port

pytestmark = pytest.mark.one_engine

ONE, TWO = ["Bearer one"], ["Bearer one", "Bearer two"]


@pytest.fixture(scope="module")
def readme() -> dict[str, Any]:
    """The names that the lines define; who asks smartauth reaches nobody, which is a 503."""
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
    defined: dict[str, Any] = {}
    exec(block.text.replace("127.0.0.1:8000/o/", f"127.0.0.1:{free_port()}/o/"), defined)
    return defined


def headers(values: list[str]) -> Message:
    """As `self.headers` of http.server holds them."""
    found = Message()
    for value in values:
        found["Authorization"] = value
    return found


@pytest.mark.requirement("TV-18")
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(headers(ONE).get_all("Authorization", []), 503, id="every header: smartauth is asked"),
        pytest.param(headers(TWO).get_all("Authorization", []), 401, id="every header, two of them"),
        pytest.param(headers([]).get_all("Authorization", []), 401, id="every header, none of them"),
        pytest.param(headers(ONE).get("Authorization"), 401, id="the first header alone"),
        pytest.param(headers(TWO).get("Authorization"), 401, id="the first header alone, two of them"),
    ],
)
def test_two_headers_are_refused_however_the_function_is_called(
    readme: dict[str, Any], authorization: Any, status: int
) -> None:
    with pytest.raises(readme["Refused"]) as refused:
        readme["patient_of"](authorization, "Patient", "r")

    assert refused.value.args == (status,)
