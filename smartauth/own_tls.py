"""TLS by the server itself, for a machine without a proxy (SD-02)."""

import logging
import ssl
from pathlib import Path

import uvicorn

logger = logging.getLogger(__name__)

CIPHERS = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"  # of TLS 1.2; as docker/proxy.conf has them
KEY_BITS = 256  # at least, also in TLS 1.3, of which Python's ssl lets nobody choose the ciphers


class Certificate:
    """A chain and its key in two PEM files, read again when they change: renewals need no restart."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises OSError or ssl.SSLError for files that cannot be read or do not belong together."""
        self._files = (chain, key)
        self._seen = self._states()
        self._context = self._read()

    def context(self) -> ssl.SSLContext:
        """For the next connection: the newest that could be read. A half-written renewal leaves the one before.

        What cannot be used is tried and logged once, not at each connection, until the files change again.
        """
        states = self._states()
        if states != self._seen:
            self._seen = states
            try:
                self._context = self._read()
            except OSError as error:  # ssl.SSLError is one
                logger.error("the renewed certificate %s cannot be used, the one before is: %s", self._files[0], error)
        return self._context

    def _states(self) -> list[tuple[int, int, int] | None]:
        return [_state(file) for file in self._files]

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(*self._files)
        return context


def _state(file: Path) -> tuple[int, int, int] | None:
    """What changes with the content, and also where a renewal gives the file to the server only afterwards."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_ino, found.st_size


class TlsConfig(uvicorn.Config):
    """uvicorn's, for smartauth.tls_protocol: uvicorn's own TLS neither counts nor ends connections that shake hands."""

    def load(self) -> None:
        self.certificate = Certificate(Path(str(self.ssl_certfile)), Path(str(self.ssl_keyfile)))
        self.ssl_context_factory = lambda *_: self.certificate.context()  # else uvicorn reads both files again
        super().load()
        self.ssl = None
