"""Questions in the form of AuthZEN: what is no digest and no search by POST is none."""

from base64 import urlsafe_b64encode

import pytest

from smart.decisions.authzen import MalformedEvaluation, parse_presented_token
from smart.decisions.question import is_search_by_post

DIGEST = bytes(range(224, 256))
TEXT = urlsafe_b64encode(DIGEST).decode().rstrip("=")


def digest_of(text: str) -> str:
    return parse_presented_token({"subject": {"type": "access_token_sha256", "id": text}}).digest


def test_a_digest_is_32_bytes_in_base64url() -> None:
    assert digest_of(TEXT) == DIGEST.hex()


@pytest.mark.parametrize(
    "text",
    ["", TEXT[:-1], f"{TEXT}=", f"{TEXT}A", TEXT[:-1] + "é", "=" * 43, "!" * 43, "A" * 39 + "====", TEXT[:-4] + "!!!!"],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(MalformedEvaluation, match="its digest in base64url"):
        digest_of(text)


@pytest.mark.parametrize(
    ("method", "url", "is_one"),
    [
        ("POST", "Observation/_search", True),
        ("POST", "Observation/_search/", True),
        ("POST", "Observation/_search?a=1", True),
        ("GET", "Observation/_search", False),
        ("POST", "Observation", False),
        ("POST", "/Observation/x_search", False),
        ("POST", "Observation?a=/_search", False),
    ],
)
def test_parameters_stand_in_the_body_of_a_post_to_search_alone(method: str, url: str, is_one: bool) -> None:
    assert is_search_by_post(method, url) is is_one
