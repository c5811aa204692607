"""What exists in development only is not there elsewhere, as if it had never been."""

import json
import subprocess
import sys

from smartauth.asgi import MACHINES, machines
from smartauth.development_machines import DEVELOPMENT_MACHINES
from smartauth.urls import DEVELOPMENT, urlpatterns
from tests.running import ROOT, Server
from tests.smartauth.test_startup_checks import production

ASK = """
import django; django.setup()
import json, sys
from urllib.parse import urlsplit
from django.conf import settings
from django.test import Client
host = urlsplit(settings.SMARTAUTH_ISSUER).netloc
browser = Client(HTTP_HOST=host)
def status(path):
    posted = browser.post(path, "{}", content_type="application/json")
    return [browser.get(path).status_code, posted.status_code]
from smartauth.asgi import machines
from oauth.http.watchers import machine_watchers, page_watchers
assert not machine_watchers and not page_watchers, "nobody looks at answers in production"
on_the_loop = [path for path in machines if path.startswith("/dev/")]
sys.stdout.write(json.dumps({path: status(path) for path in [*sys.argv[1:], *on_the_loop]}))
"""


def statuses(paths: list[str], **environment: str) -> dict[str, list[int]]:
    """What GET and POST are answered by Django under these settings."""
    server = Server()
    server.environment.update(environment)
    try:
        command = [sys.executable, "-c", ASK, *paths]
        done = subprocess.run(command, env=server.environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found: dict[str, list[int]] = json.loads(done.stdout)
        return found
    finally:
        server.remove()


def test_in_production_no_address_of_development_answers() -> None:
    paths = [f"/{each.pattern}" for each in DEVELOPMENT]
    below = ["/dev/", "/dev/anything", "/dev/introspect/down", "/dev/console/stream", "/fhir/elsewhere/metadata"]

    assert {path for path in MACHINES if path.startswith("/dev/")} == set()
    assert statuses([*paths, *below], **production()) == {path: [404, 404] for path in [*paths, *below]}


def test_what_is_there_in_development_alone_stands_beside_the_machines_or_is_below_dev() -> None:
    assert [path for path in DEVELOPMENT_MACHINES if not path.startswith("/dev/") and path not in MACHINES] == []
    assert "/dev/introspect/down" in machines


def test_every_address_below_dev_stands_among_those_of_development() -> None:
    below = [each for each in urlpatterns if str(each.pattern).startswith("dev/")]

    assert below
    assert [each for each in below if each not in DEVELOPMENT] == []
