"""The stranger's server behind the code of README: the page's lines, and the answers that it says belong to them."""

import os
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo.stranger.server import NOT_FOUND, PATIENTS, Fhir
from tests.docs.pages import blocks
from tests.running import ROOT

EXAMPLES = {
    '"http://127.0.0.1:8000/o/introspect"': repr(os.environ["INTROSPECT"]),
    '("demo-resource-server", "demo-resource-server-secret")': repr(
        (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    ),
    '"http://127.0.0.1:8000/fhir/r4"': repr(os.environ["FHIR_BASE"]),
}


def readme() -> dict[str, Any]:
    """The names that the Python block of README defines, with this server's own values in the place of the examples."""
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
    text = block.text
    for example, own in EXAMPLES.items():
        assert example in text
        text = text.replace(example, own)
    scope: dict[str, Any] = {}
    exec(text, scope)
    return scope


README = readme()


class Gated(Fhir):
    def do_GET(self) -> None:
        url, shown = urlsplit(self.path), self.headers.get_all("Authorization", [])
        _, _, key = url.path.removeprefix(urlsplit(os.environ["FHIR_BASE"]).path).strip("/").partition("/")
        try:
            visible = {README["patient_of"](shown, "Patient", "r" if key else "s")} & set(PATIENTS)
        except README["Refused"] as refusal:
            self.refuse(refusal.args[0], ", ".join(shown))
            return
        if key:
            self.answer(200, PATIENTS[key]) if key in visible else self.answer(404, NOT_FOUND)
            return
        asked = parse_qs(url.query).get("_id", list(PATIENTS))
        found = [{"resource": PATIENTS[each]} for each in asked if each in visible]
        self.answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})

    def refuse(self, status: int, shown: str) -> None:
        presented = shown.lower().startswith("bearer ")
        self.status = status
        self.challenge = {
            401: 'Bearer error="invalid_token"' if presented else "Bearer",
            403: 'Bearer error="insufficient_scope"',
        }.get(status, "")
        code = {401: "login", 403: "forbidden"}.get(status, "transient")
        self.answer(status, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]})
        self.challenge, self.status = "", 0

    challenge, status = "", 0

    def end_headers(self) -> None:
        if self.challenge:
            self.send_header("WWW-Authenticate", self.challenge)
        if self.status == 503:
            self.send_header("Retry-After", "5")
        super().end_headers()


if __name__ == "__main__":
    port = int(os.environ.get("PORT") or urlsplit(os.environ["FHIR_BASE"]).port or 80)
    ThreadingHTTPServer(("127.0.0.1", port), Gated).serve_forever()
