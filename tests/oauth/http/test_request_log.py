"""One log line a request, which repeats nothing that was sent."""

import logging

import pytest

from tests.oauth.visitor import Visitor


@pytest.mark.requirement("SB-04")
def test_a_body_that_cannot_be_read_leaves_no_copy_of_its_headers_in_the_log(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.request("GET", "/login")
    caplog.set_level(logging.INFO)
    sent = "multipart/form-data; boundary=planted-\xff".encode("latin-1")

    response = visitor.request("POST", "/login", content=b"x", headers=[(b"Content-Type", sent)])

    assert response.status_code == 400
    logged = [logging.Formatter("%(message)s").format(record) for record in caplog.records]
    assert any("POST /login 400" in line for line in logged)
    assert not any("planted" in line or "Traceback" in line for line in logged)
