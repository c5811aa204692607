"""Which JWKS URLs may be registered, and what is wrong with the others (RG-06, CL-12)."""

import pytest

from oauth.clients.jwks_uri import NOT_PUBLIC, jwks_uri_problem

pytestmark = pytest.mark.one_engine

HOST = "https://keys.example.org"
NO_HTTPS, NO_URL = "It must begin with https://", "It is not a URL"
USER_OR_FRAGMENT = "A user name or fragment is not allowed"
LONGEST = f"{HOST}/{'a' * (2000 - len(HOST) - 1)}"


@pytest.mark.requirement("RG-06")
@pytest.mark.parametrize(
    "uri",
    [
        f"{HOST}/jwks", f"{HOST}:65535/", f"{HOST}:1/?a=@b", LONGEST, "https://localhost.example.org/",
        "https://notlocalhost/", "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://[64:ff9b::808:808]/",
    ],
)  # fmt: skip
def test_a_url_that_anybody_can_reach_may_be_registered(uri: str) -> None:
    assert jwks_uri_problem(uri, dev=False) == ""


@pytest.mark.requirement("RG-06", "CL-12", "E100")
@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        *((uri, NO_HTTPS) for uri in ("", "http://keys.example.org/", "http://127.0.0.1/", "ftp://x/", "//x/jwks")),
        *(
            (uri, NO_URL)
            for uri in ("https://[", "https://a b/", f"{HOST}/a b", f"{HOST}/\\", f"{HOST}/\x7f", f"{HOST}/é",
                        "https:///", "https://256.1.1.1/", f"{HOST}:0/", f"{HOST}:65536/", f"{HOST}:/", f"{LONGEST}a")
        ),
        *((uri, USER_OR_FRAGMENT) for uri in ("https://u@keys.example.org/", "https://u:p@x.org/", f"{HOST}/#")),
        *(
            (f"https://{host}/", NOT_PUBLIC)
            for host in ("localhost", "localhost.", "a.localhost", "127.0.0.1", "10.0.0.1", "192.0.0.192",
                         "168.63.129.16", "224.0.0.1", "0x7f.1", "2130706433", "[::1]", "[fd00::1]", "[ff0e::1]",
                         "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::1]", "[2001:db8::1]")
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_url_is_a_sentence(uri: str, problem: str) -> None:
    assert jwks_uri_problem(uri, dev=False) == problem


@pytest.mark.requirement("RG-06")
@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("http://localhost:8080/", ""),
        ("http://127.0.0.1/", ""),
        ("http://[::1]/", ""),
        ("https://10.0.0.1/", ""),
        ("http://keys.example.org/", NO_HTTPS),
        ("ftp://localhost/", NO_HTTPS),
        (f"{HOST}:0/", NO_URL),
    ],
)
def test_in_development_loopback_needs_no_https_and_every_host_will_do(uri: str, problem: str) -> None:
    assert jwks_uri_problem(uri, dev=True) == problem
