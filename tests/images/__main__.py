"""Every image that tests run, built beforehand: `python -m tests.images`."""

import sys

from tests import network
from tests.images.builder import image
from tests.images.docker_engine import Engine

if __name__ == "__main__":
    if network.is_possible():
        for each in ("production", "dev"):
            sys.stdout.write(f"{each}: {image(each).size // 1_000_000} MB\n")
        engine = Engine()
        try:
            engine.start()
        finally:
            engine.stop()
    else:
        sys.stdout.write("NOT CHECKED: images, Docker and systemd, which root runs in namespaces\n")
