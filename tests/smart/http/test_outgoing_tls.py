"""Who is believed by who calls other servers: the public authorities, and those of a file."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smart.http.outgoing_tls import outgoing_tls
from tests.publishing import authority

pytestmark = pytest.mark.one_engine


def names(context: ssl.SSLContext) -> set[str]:
    return {str(each["subject"]) for each in context.get_ca_certs()}


def test_a_file_of_authorities_is_believed_beside_the_public_ones(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(authority()[1].public_bytes(Encoding.PEM))

    public, both = names(outgoing_tls()), names(outgoing_tls(str(file)))

    assert len(public) > 50
    assert len(both - public) == 1
    assert "an authority of the tests" in (both - public).pop()
    assert public < both
    assert outgoing_tls(str(file)).verify_mode is ssl.CERT_REQUIRED
    assert outgoing_tls(str(file)).check_hostname


def test_a_file_without_a_certificate_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()

    for name in ("empty.pem", "nowhere.pem"):
        with pytest.raises((OSError, ssl.SSLError)):
            outgoing_tls(str(tmp_path / name))
