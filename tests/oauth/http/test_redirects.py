"""The way back to an app: where a form may end, and what is answered where no policy can say so."""

from html import unescape

import pytest

from oauth.http.redirects import form_action_source, redirect_to_app

NAMED = {
    "https://app.example/cb": "https://app.example",
    "https://app.example:8443/cb?a=b": "https://app.example:8443",
    "http://127.0.0.1:4999/cb": "http://127.0.0.1:4999",
    "com.example.app:/cb": "com.example.app:",
    "com.example.app://cb": "com.example.app://cb",
}
UNNAMED = ["http://[::1]:4999/cb?code=a", "https://my_app.example/cb?code=a", "HTTPS://my_app.example/cb?a=1&code=a"]


@pytest.mark.requirement("AZ-18")
@pytest.mark.parametrize("url", NAMED)
def test_a_form_may_end_at_the_apps_own_origin_or_scheme(url: str) -> None:
    answer = redirect_to_app(url)

    assert form_action_source(url) == NAMED[url]
    assert (answer.status_code, answer["Location"]) == (303, url)


@pytest.mark.requirement("AZ-18")
@pytest.mark.parametrize("url", UNNAMED)
def test_a_host_that_no_policy_can_name_widens_none_and_a_page_leads_there(url: str) -> None:
    answer = redirect_to_app(url)
    page = answer.content.decode()

    assert form_action_source(url) == "'self'"
    assert answer.status_code == 200
    assert "Location" not in answer
    assert f'content="0; url={url}"' in unescape(page)
    assert f'href="{url}"' in unescape(page)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_the_page_holds_no_markup_of_the_address() -> None:
    page = redirect_to_app('http://[::1]/cb?state="><script>alert(1)</script>').content.decode()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.requirement("E32")
@pytest.mark.parametrize("url", UNNAMED)
def test_where_no_form_was_sent_it_is_a_redirect_for_any_host(url: str) -> None:
    answer = redirect_to_app(url, after_form=False)

    assert (answer.status_code, answer["Location"]) == (303, url)
