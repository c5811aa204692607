"""Where each kind of token stands in a request."""

import pytest

from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import PRESENTATIONS, Presentation, presentation

pytestmark = pytest.mark.one_engine

TOKEN = "header.payload.signature"


def test_a_token_stands_in_the_authorization_header() -> None:
    assert presentation("expired", TOKEN, "amy") == Presentation(
        "Patient/amy", headers=(("Authorization", f"Bearer {TOKEN}"),)
    )


def test_what_is_presented_in_another_way_is_a_kind() -> None:
    assert set(PRESENTATIONS) <= set(kinds())
    assert {kinds()[name].group for name in PRESENTATIONS} == {"On the way", "Good twins"}


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("no-token", ()),
        ("in-query", ()),
        ("two-headers", (("Authorization", f"Bearer {TOKEN}"),) * 2),
        ("two-tokens", (("Authorization", f"Bearer {TOKEN} {TOKEN}"),)),
        ("scheme-basic", (("Authorization", f"Basic {TOKEN}"),)),
        ("scheme-none", (("Authorization", TOKEN),)),
        ("bytes", (("Authorization", "Bearer header.paylo\0ad.signature"),)),
        ("bytes-folded", (("Authorization", "Bearer header.paylo\r\n ad.signature"),)),
        ("bytes-invalid-utf8", (("Authorization", "Bearer header.paylo\xff\xfead.signature"),)),
        ("cookie", (("Cookie", f"access_token={TOKEN}"),)),
        ("good-scheme-upper", (("Authorization", f"BEARER {TOKEN}"),)),
    ],
)
def test_a_kind_has_these_headers(kind: str, headers: tuple[tuple[str, str], ...]) -> None:
    assert presentation(kind, TOKEN, "amy").headers == headers


def test_a_token_in_the_address_is_quoted_and_one_in_a_form_is_posted() -> None:
    in_query, in_body = presentation("in-query", "a+b", "amy"), presentation("in-body", "a+b", "amy")

    assert (in_query.method, in_query.query, in_query.body) == ("GET", "access_token=a%2Bb", "")
    assert (in_body.method, in_body.path, in_body.body) == ("POST", "Patient/_search", "_id=amy&access_token=a%2Bb")
    assert in_body.as_json()["headers"] == (("Content-Type", "application/x-www-form-urlencoded"),)
