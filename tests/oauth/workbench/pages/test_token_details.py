"""How a token is taken apart, and how it is written for a shell."""

import json
import shlex
import subprocess

import pytest

from oauth.models import FhirServer
from oauth.workbench.minting.compact import part
from oauth.workbench.orders.ordered_token import OrderedToken
from oauth.workbench.pages.token_details import SHOWN, curl_line, expected_responses, order_line, read_parts
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import Presentation, presentation
from tests.oauth.workbench.minting.test_mint import good_token, minted

pytestmark = pytest.mark.one_engine

BASE = "https://fhir.example.org/r4"


def made(token: str, kind: str = "expired") -> OrderedToken:
    """A token of that kind, as it was handed out."""
    return OrderedToken(
        token=token,
        answer={},
        server=FhirServer(base=BASE),
        patient="amy",
        kind=kinds()[kind],
        good=good_token("ES256"),
    )


def signs(token: str) -> list[tuple[str, str]]:
    """The members of the payload that differ, without what is new in every token."""
    lines = read_parts(made(token))[1].lines
    return [(line.sign, line.text.partition(":")[0].strip('"')) for line in lines if line.sign]


@pytest.mark.parametrize(
    ("kind", "differs"),
    [
        ("scope-missing", [("was", "scope")]),
        ("scope-empty", [("was", "scope"), ("is", "scope")]),
        ("dpop-as-bearer", [("is", "cnf")]),
        ("foreign-key", []),
    ],
)
def test_what_differs_from_a_good_token_is_marked(kind: str, differs: list[tuple[str, str]]) -> None:
    assert [each for each in signs(minted(kind).token) if each[1] not in {"iat", "exp"}] == differs


def test_a_header_that_differs_is_marked() -> None:
    header = read_parts(made(minted("typ-jwt").token, "typ-jwt"))[0]

    assert [(line.sign, line.text) for line in header.lines if line.sign] == [
        ("was", '"typ": "at+jwt"'),
        ("is", '"typ": "JWT"'),
    ]


@pytest.mark.parametrize(
    "payload", ['{"patient": "amy", "patient": "ben"}', '{"exp": NaN}', "[" * 10_000 + "]" * 10_000, "[1]", "no JSON"]
)
def test_what_is_no_plain_json_object_is_shown_as_it_is(payload: str) -> None:
    shown = read_parts(made(f"{part({})}.{part(payload)}.x"))[1]

    assert shown.lines == ()
    assert shown.raw.startswith(payload[:SHOWN])
    assert len(shown.raw) < SHOWN + 40


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c.d", ""])
def test_what_is_no_jwt_has_no_parts(token: str) -> None:
    assert read_parts(made(token)) == []


def test_bytes_that_are_no_text_are_shown() -> None:
    assert read_parts(made(f"{part(b'abc' + bytes([255]))}.!.x"))[0].raw == r"abc\xff"


def test_the_answers_that_are_right_are_written_as_http_has_them() -> None:
    assert expected_responses(kinds()["no-token"].answer) == ["HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer"]
    assert expected_responses(kinds()["scope-missing"].answer)[0].startswith(
        "HTTP/1.1 403 Forbidden\nWWW-Authenticate: "
    )
    assert expected_responses(kinds()["patient-other"].answer) == ["HTTP/1.1 404 Not Found"]


@pytest.mark.parametrize("kind", kinds())
def test_a_line_for_a_shell_has_every_header_or_there_is_none(kind: str) -> None:
    request = presentation(kind, "a.b'$(x).c-and-some-more", "amy")

    words = shlex.split(curl_line(BASE, request))

    headers = [f"{name}: {value}" for name, value in request.headers]
    assert [word for word in words if ": " in word] == headers or kind.startswith("bytes")
    assert words[-1:] == [f"{BASE}/{request.path}" + (f"?{request.query}" if request.query else "")] or not words
    assert bool(words) == (kind not in {"bytes", "bytes-folded", "bytes-non-ascii", "bytes-invalid-utf8"})


def test_a_form_is_sent_as_one() -> None:
    request = Presentation("Patient/_search", "POST", headers=(("Content-Type", "x"),), body="_id=amy&a=b")

    assert curl_line(BASE, request) == f"curl -i -H 'Content-Type: x' -d '_id=amy&a=b' {BASE}/Patient/_search"


def test_an_order_survives_the_shell() -> None:
    order = {"client": "it's", "claims": {"a": "$(x) \u00e9"}}

    line = order_line("http://127.0.0.1:8000", order).replace("curl", "printf '%s\\n'", 1)

    said = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
    assert json.loads(said[said.index("-d") + 1]) == order
