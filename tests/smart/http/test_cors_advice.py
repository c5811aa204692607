"""What a developer hears of an origin that is no client's."""

import pytest

from smart.http.cors_advice import origin_advice

ISSUER = "http://127.0.0.1:8000"
REGISTERED = ["http://127.0.0.1:3000", "https://app.example", "http://[::"]


@pytest.mark.requirement("CO-02")
@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("http://localhost:3000", "Registered is http://127.0.0.1:3000, the same by another name"),
        ("http://[::1]:3000", "Registered is http://127.0.0.1:3000, the same by another name"),
        ("http://127.0.0.1:3001", "Registered is http://127.0.0.1:3000, at another port or scheme"),
        ("http://app.example", "Registered is https://app.example, at another port or scheme"),
        ("http://127.0.0.1:8000", "Registered is http://127.0.0.1:3000, at another port or scheme"),
        ("http://localhost:3001", "No client has it"),
        ("https://localhost:3000", "No client has it"),
        ("http://localhost:8000", "This server is http://127.0.0.1:8000: open it under that name."),
        ("https://app.example", "It belongs to another client"),
        ("https://elsewhere.example", "No client has it"),
        ("null", "No client has it"),
        ("http://localhost:99999", "No client has it"),
        ("http://[", "No client has it"),
    ],
)
def test_the_origin_that_was_meant_is_named(origin: str, advice: str) -> None:
    assert origin_advice(origin, REGISTERED, issuer=ISSUER).startswith(advice)


@pytest.mark.parametrize(("origin", "known"), [("null", "org.example.app:"), ("http://[", "http://]["), ("null", "")])
def test_what_names_no_host_is_near_to_nothing(origin: str, known: str) -> None:
    assert origin_advice(origin, [known], issuer=ISSUER).startswith("No client has it")
