"""The records of the recipes behind the code of README: the page's lines, with this server's own values."""

import json
import os
from typing import Any
from urllib.parse import urlsplit

import uvicorn

import records
from tests.docs.pages import blocks
from tests.running import ROOT

BASE = os.environ["FHIR_BASE"]
EXAMPLES = {
    '"http://127.0.0.1:8000/fhir/r4"': repr(BASE),
    '"http://127.0.0.1:8000"': repr(os.environ["INTROSPECT"].removesuffix("/o/introspect")),
    '"demo-resource-server"': repr(os.environ["CLIENT_ID"]),
    '"demo-resource-server-secret"': repr(os.environ["CLIENT_SECRET"]),
}


async def fhir(scope: Any, receive: Any, send: Any) -> None:
    """The FHIR server that the lines protect, as an ASGI application."""
    if scope["type"] == "lifespan":
        return
    body = (await receive()).get("body", b"")
    path = scope["path"].removeprefix(urlsplit(BASE).path)
    status, found = records.answer(scope["method"], path, scope["query_string"].decode(), body)
    content = json.dumps(found).encode()
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/fhir+json")]}
    )
    await send({"type": "http.response.body", "body": content})


def protected() -> Any:
    """What the Python block of README makes of it."""
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
    text = block.text
    for example, own in EXAMPLES.items():
        assert example in text
        text = text.replace(example, own)
    scope: dict[str, Any] = {"app": fhir}
    exec(text, scope)
    return scope["app"]


if __name__ == "__main__":
    uvicorn.run(
        protected(),
        host="127.0.0.1",
        port=int(os.environ.get("PORT") or urlsplit(BASE).port or 80),
        lifespan="off",
        http="h11",
    )
