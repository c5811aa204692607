"""Machines of a test: each a network namespace of its own, joined by a bridge. This machine is outside of them."""

import fcntl
import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Machine:
    """The address on which it listens, and how a command begins that runs there."""

    address: str = "127.0.0.1"
    inside: tuple[str, ...] = ()


THIS = Machine()
CLAIMS = Path("/run/smartauth-networks")  # of root, who makes networks: one place whatever TMPDIR is
NUMBERS = range(1, 255)  # of the networks of tests that run at the same time


@functools.cache
def is_possible() -> bool:
    """Whether this process may make namespaces, mount and join networks: it is root, and no container forbids it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    tried = ["unshare", "--mount", "--net", "ip", "link", "add", "bridge", "type", "bridge"]
    return subprocess.run(tried, capture_output=True, timeout=60).returncode == 0


class Network:
    """10.213.NUMBER.0/24. The lock of a file is its claim to that number, and ends with this process."""

    def __init__(self) -> None:
        self._number, self._claim = next(claim for claim in map(_claim, NUMBERS) if claim)
        self._name, self._machines = _name(self._number), list[str]()

    def build(self) -> "Network":
        """The bridge, and this machine on it."""
        _ip("netns", "add", self._name)
        self._switch("link", "add", "bridge", "type", "bridge")
        self._switch("link", "set", "bridge", "up")
        # this machine's end has the name of the network
        self._switch("link", "add", "outside", "type", "veth", "peer", "name", self._name)
        self._switch("link", "set", self._name, "netns", str(os.getpid()))
        self._plug("outside")
        _ip("address", "add", f"{self._address(1)}/24", "dev", self._name)
        _ip("link", "set", self._name, "up")
        return self

    @property
    def block(self) -> str:
        return f"10.213.{self._number}.0/24"

    def machine(self, name: str) -> Machine:
        """A new one, on the network."""
        namespace, address = f"{self._name}-{name}", self._address(2 + len(self._machines))
        _ip("netns", "add", namespace)
        self._machines.append(namespace)
        self._switch("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self._plug(name)
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", namespace, "link", "set", device, "up")
        return Machine(address, ("ip", "netns", "exec", namespace))

    def cut(self, machine: Machine) -> None:
        """Nothing reaches it and it reaches nobody, and nobody is told so."""
        self._switch("link", "set", self._port(machine), "down")

    def mend(self, machine: Machine) -> None:
        """It is reached again."""
        self._switch("link", "set", self._port(machine), "up")

    def remove(self) -> None:
        """All of it, once nothing runs there; also what was made in part."""
        _ip("link", "del", self._name, check=False)
        for namespace in (*self._machines, self._name):
            _ip("netns", "del", namespace, check=False)
        self._claim.close()

    def _address(self, host: int) -> str:
        return f"10.213.{self._number}.{host}"

    def _port(self, machine: Machine) -> str:
        return machine.inside[-1].removeprefix(f"{self._name}-")

    def _switch(self, *arguments: str) -> None:
        _ip("-n", self._name, *arguments)

    def _plug(self, port: str) -> None:
        self._switch("link", "set", port, "master", "bridge")
        self._switch("link", "set", port, "up")


def _name(number: int) -> str:
    return f"smartauth-{number}"


def _claim(number: int) -> tuple[int, IO[str]] | None:
    """A number that is free now, without what a run left there that was killed; None for one in use."""
    CLAIMS.mkdir(mode=0o700, exist_ok=True)
    claim = (CLAIMS / str(number)).open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        return None
    left = [each for each in _namespaces() if each == _name(number) or each.startswith(f"{_name(number)}-")]
    if any(_written("netns", "pids", each) for each in left):  # something runs there still
        claim.close()
        return None
    _ip("link", "del", _name(number), check=False)  # of itself it would go some time after its namespace
    for each in left:
        _ip("netns", "del", each, check=False)
    return number, claim


def _namespaces() -> list[str]:
    return [line.split()[0] for line in _written("netns", "list").splitlines()]


def _written(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=60).stdout


def _ip(*arguments: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, timeout=60).returncode == 0
