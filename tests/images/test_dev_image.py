"""The image for development, in a network of its own as a container has it."""

import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.images.builder import AS_ROOT, image
from tests.images.container import Container
from tests.waiting import wait_until

pytestmark = [pytest.mark.clients, AS_ROOT]

NAMESPACE, OUTSIDE, INSIDE = "smartauth-test", "172.31.255.1", "172.31.255.2"
SECRET = ("demo-resource-server", "demo-resource-server-secret")


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """Two ends of a cable: this machine is the container engine's gateway, the container has its own loopback."""
    ip("netns", "del", NAMESPACE, check=False)
    ip("link", "del", "smartauth-out", check=False)
    ip("netns", "add", NAMESPACE)
    ip("link", "add", "smartauth-out", "type", "veth", "peer", "name", "smartauth-in")
    ip("link", "set", "smartauth-in", "netns", NAMESPACE)
    ip("address", "add", f"{OUTSIDE}/30", "dev", "smartauth-out")
    ip("link", "set", "smartauth-out", "up")
    for command in (["address", "add", f"{INSIDE}/30", "dev", "smartauth-in"], ["link", "set", "smartauth-in", "up"]):
        ip("-n", NAMESPACE, *command)
    ip("-n", NAMESPACE, "link", "set", "lo", "up")
    yield NAMESPACE
    ip("netns", "del", NAMESPACE)


@pytest.fixture(scope="module")
def demo(namespace: str) -> Iterator[Container]:
    """What `docker run -p 8000:8000 smartauth-dev` starts."""
    built = image("dev")
    running = Container(built.root, built.environment, namespace=namespace).start(built.command)
    try:
        assert wait_until(lambda: "what is here" in running.written(), within=300), running.written()
        yield running
    finally:
        running.kill()


def ask(path: str, host: str) -> httpx.Response:
    return httpx.get(f"http://{INSIDE}:8000{path}", headers={"Host": host}, timeout=30)


def test_the_demo_answers_a_browser_that_comes_by_the_published_port(demo: Container) -> None:
    answer = ask("/", "127.0.0.1:8000")

    assert answer.status_code == 200
    assert "smartauth" in answer.text
    assert ask("/fhir/r4/metadata", "127.0.0.1:8000").status_code == 200


def test_another_container_introspects_by_the_name_of_the_service(demo: Container) -> None:
    answer = httpx.post(
        f"http://{INSIDE}:8000/o/introspect",
        auth=SECRET,
        data={"token": "unknown"},
        headers={"Host": "smartauth:8000"},
        timeout=30,
    )

    assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_a_foreign_name_is_refused(demo: Container) -> None:
    assert ask("/", "rebound.example").status_code == 400


def test_the_demo_says_loudly_that_it_is_open(demo: Container) -> None:
    said = demo.written()

    assert "!! DEVELOPMENT SERVER, OPEN TO A NETWORK" in said
    assert "172.16.0.0/12" in said


def test_the_health_check_of_the_image_passes_while_it_serves(demo: Container) -> None:
    built = image("dev")

    inside = Container(built.root, built.environment, namespace=NAMESPACE).run(built.health_check)

    assert inside.returncode == 0, inside.stderr
