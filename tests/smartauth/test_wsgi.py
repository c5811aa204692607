"""What Django is told of a request."""

from urllib.parse import urlencode

import pytest

from smart.http.media_types import FORM
from tests.conftest import App
from tests.oauth.visitor import Visitor, hidden_fields

NO_TEXT = ["charset=rot13", "charset=undefined", "charset=idna", "charset=unicode_escape", "a*=nonsense''%41"]


@pytest.mark.requirement("SD-18", "SD-27")
@pytest.mark.parametrize("parameter", NO_TEXT)
@pytest.mark.parametrize(
    ("path", "status"),
    [("/login?to=%C3%A9", 200), ("/o/smart-configuration?aud=%C3%A9", 404), ("/fhir/r4/Patient?name=%C3%A9", 401)],
)
def test_no_charset_breaks_a_query(app: App, parameter: str, path: str, status: int) -> None:
    response = Visitor(app).request("GET", path, headers={"Content-Type": f"text/plain; {parameter}"})

    assert response.status_code == status


@pytest.mark.requirement("SD-18", "SD-27")
@pytest.mark.parametrize("parameter", NO_TEXT[:-1])
def test_no_charset_breaks_a_form(app: App, parameter: str) -> None:
    visitor = Visitor(app)
    fields = {**hidden_fields(visitor.request("GET", "/login")), "username": "\\ud800 é", "password": "\\ud800"}
    content_type = f"{FORM}; {parameter}"

    response = visitor.request(
        "POST", "/login", content=urlencode(fields).encode(), headers={"Content-Type": content_type}
    )

    assert response.status_code == 422
    assert 'value="\\ud800 é"' in response.text


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize("path", ["/login", "/logout", "/admin/login/", "/apps"])
def test_only_urlencoded_forms_are_read(app: App, path: str) -> None:
    visitor = Visitor(app)
    fields = {**hidden_fields(visitor.request("GET", "/login")), "username": "amy", "password": "smartauth-demo"}
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())

    response = visitor.request(
        "POST", path, content=f"{parts}--x--\r\n".encode(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert response.status_code == 400
