"""An authorization server that cannot be believed: it answers recipes with whatever a test tells it to say."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from smart.decisions.answer import claims_json, plain_answer
from smart.decisions.authzen import parse_evaluation
from smart.decisions.decide import INVALID_TOKEN, decide
from smart.decisions.ruling import rule
from smart.decisions.subject import InvalidClaims, read_subject
from smart.decisions.view import Reach


class Answer(NamedTuple):
    """What the oracle says, and how many seconds it rests after each byte of the body."""

    status: int = 200
    kind: str = "application/json"
    body: str = '{"active":false}'
    rest: float = 0


class Oracle:
    """Whatever is asked, it says `says`; as many as `drops` times it hangs up before.

    With claims that it shall say it decides by them, where it is asked for a decision. `questions` counts what came.
    """

    def __init__(self) -> None:
        self.says = Answer()
        self.claims: dict[str, Any] | None = None
        self.drops = 0
        self.questions = 0
        oracle = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = self.rfile.read(int(self.headers["Content-Length"]))
                oracle.questions += 1
                self.tell(oracle.answer(self.path, question))

            def do_GET(self) -> None:
                self.tell(oracle.says)

            def tell(self, said: Answer) -> None:
                if oracle.drops:
                    oracle.drops -= 1
                    return
                body = said.body.encode()
                self.send_response(said.status)
                self.send_header("Content-Type", said.kind)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")  # HTTP/1.0 says so by itself, but Java's client keeps it
                self.end_headers()
                with suppress(ConnectionError):  # who waited too long has gone
                    for part in [bytes([byte]) for byte in body] if said.rest else [body]:
                        self.wfile.write(part)
                        time.sleep(said.rest)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/o/introspect"

    def say(self, says: Answer) -> None:
        """Says just that, to every question."""
        self.says, self.claims = says, None

    def say_claims(self, claims: dict[str, Any]) -> None:
        """Says them of every token, and decides by them."""
        self.says, self.claims = Answer(body=json.dumps(claims)), claims

    def answer(self, path: str, question: bytes) -> Answer:
        """What it says to a question."""
        if self.claims is None or not path.startswith("/access/v1/"):
            return self.says
        body, decided = json.loads(question), by_claims(self.claims)
        if path.endswith("/evaluations"):
            return Answer(body=json.dumps({"evaluations": [decided(body | one, True) for one in body["evaluations"]]}))
        return Answer(body=json.dumps(decided(body, False)))


def by_claims(claims: dict[str, Any]) -> Callable[[dict[str, Any], bool], dict[str, Any]]:
    """Decides by the rules of the product, about a token with these claims: an evaluation, or one of several."""
    held = {"exp": time.time() + 60, **claims} if claims.get("active") is True else None

    def decided(body: dict[str, Any], is_entry: bool) -> dict[str, Any]:
        asked, decision = parse_evaluation(body), INVALID_TOKEN
        with suppress(InvalidClaims):
            subject = read_subject(held, asked.base, time.time())
            if not is_entry:
                ruling = rule(subject, "r4", asked.base, asked.question, applies_views=asked.applies_views)
                return dict(json.loads(ruling.answer(claims_json(held or {}))))
            decision = decide(Reach(subject, "r4", asked.base), asked.question, applies_views=False, is_entry=True)
        return plain_answer(decision, base=asked.base)

    return decided


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle()
    yield made
    made.http.shutdown()
