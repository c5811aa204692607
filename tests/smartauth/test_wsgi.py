"""What Django is told of a request."""

import pytest

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
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())
    content_type = f"multipart/form-data; boundary=x; {parameter}"

    response = visitor.request(
        "POST", "/login", content=f"{parts}--x--\r\n".encode(), headers={"Content-Type": content_type}
    )

    assert response.status_code == 422
    assert 'value="\\ud800 é"' in response.text
