"""What pages and events show of a URL that others sent."""

import pytest

from smart.http.urls import public_part


@pytest.mark.requirement("PR-07", "SB-04")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("https://app.example/cb", "https://app.example/cb"),
        ("https://app.example/cb?code=secret", "https://app.example/cb"),
        ("https://app.example/cb#access_token=secret", "https://app.example/cb"),
        ("https://amy:secret@app.example/a@b", "https://app.example/a@b"),
        ("https:\\\\amy:secret@app.example\\cb", "https:\\\\app.example\\cb"),
        ("amy:secret@app.example/cb", "amy:"),
        ("org.example.app:callback?code=secret", "org.example.app:callback"),
        ("data:text/html,secret", "data:"),
        ("JavaScript:alert(1)", "JavaScript:"),
        ("https://app.example/\u202e\x00cb", "https://app.example/??cb"),
        ("http://[::1]:8000/cb", "http://[::1]:8000/cb"),
        ("https://app.example/" + "a" * 500, "https://app.example/" + "a" * 100),
        ("", ""),
    ],
    ids=range(13),
)
def test_a_url_is_shown_without_what_may_be_secret(sent: str, shown: str) -> None:
    assert public_part(sent) == shown
