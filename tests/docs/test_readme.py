"""The lines of README, in front of a server that is open to everybody."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.docs.pages import blocks
from tests.running import ROOT, free_port

pytestmark = pytest.mark.one_engine

ONE, TWO = [("Authorization", "Bearer one")], [("Authorization", "Bearer one"), ("Authorization", "Bearer two")]


async def open_server(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a record"})


@pytest.mark.requirement("TV-18")
@pytest.mark.parametrize(
    ("shown", "status"),
    [
        pytest.param(ONE, 503, id="one header: smartauth is asked, and does not answer"),
        pytest.param(TWO, 401, id="two of them"),
        pytest.param([], 401, id="none of them"),
    ],
)
def test_nothing_passes_that_smartauth_has_not_decided(shown: list[tuple[str, str]], status: int) -> None:
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
    lines = block.text.replace('"http://127.0.0.1:8000"', f'"http://127.0.0.1:{free_port()}"')
    assert len(lines.splitlines()) <= 12
    defined: dict[str, Any] = {"app": open_server}
    exec(lines, defined)

    async def read() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(defined["app"])) as client:
            return await client.get("http://127.0.0.1:8000/fhir/r4/Patient/amy", headers=shown)

    answer = asyncio.run(read())

    assert answer.status_code == status
    assert "record" not in answer.text
