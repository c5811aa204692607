"""What a page may send, and how it shows that. smartauth_probe sends it, as it does for tests."""

from urllib.parse import urlsplit

from smartauth_probe import raw_http
from smartauth_probe.received import Received
from smartauth_probe.requests import Presentation

SECONDS = 5.0
CUT = 15  # characters of a header that are shown: eight of a bearer token


def can_be_sent(request: Presentation) -> bool:
    """Only what changes nothing, and what any server can answer: some hang up on bytes that HTTP does not allow."""
    return request.method == "GET" and all(value.isascii() and value.isprintable() for _, value in request.headers)


def send(base: str, request: Presentation) -> Received:
    """What a verdict needs of the answer, which comes within five seconds. Raises NoAnswer."""
    response = raw_http.send(base, request, seconds=SECONDS)
    return Received.of(response.status_code, response.headers.get("WWW-Authenticate", ""), response.content)


def request_head(base: str, request: Presentation) -> str:
    """The head that was sent, with the first characters of each header only."""
    url = urlsplit(f"{base}/{request.path}")
    target = f"{url.path}?access_token=..." if request.query else url.path
    headers = [f"{name}: {value[:CUT]}{'...' if len(value) > CUT else ''}" for name, value in request.headers]
    return "\n".join([f"GET {target} HTTP/1.1", f"Host: {url.netloc}", "Accept: application/fhir+json", *headers])
