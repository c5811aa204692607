"""What a lock file says: each package with its version, the hashes of its files and who wants it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
_PINNED = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)")


@dataclass(frozen=True)
class Locked:
    name: str
    version: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]  # names of packages, and `-r FILE` for what stands in that file itself


class Lock:
    """One of requirements/*.txt."""

    def __init__(self, name: str = "base.txt") -> None:
        text = (FOLDER / name).read_text(encoding="utf-8")
        self.packages = {package.name: package for package in _read(text)}

    def wanted_from(self, files: Iterable[str]) -> set[str]:
        """What these files want, and what that wants in its turn."""
        asked = {f"-r {file}" for file in files}
        found: set[str] = set()
        while more := {each.name for each in self.packages.values() if asked & {*each.wanted_by}} - found:
            found |= more
            asked = more
        return found

    @cached_property
    def required(self) -> set[str]:
        """What smartauth needs without any extra."""
        return self.wanted_from(["base.in"])

    def extras_of(self, name: str) -> list[str]:
        """The extras that bring a package, none for what is required anyhow."""
        files = {
            file.removeprefix("-r ") for each in self.packages.values() for file in each.wanted_by if "-r " in file
        }
        extras = sorted(files - {"base.in"})
        return [] if name in self.required else [Path(file).stem for file in extras if name in self.wanted_from([file])]


def _read(text: str) -> Iterator[Locked]:
    for block in re.split(r"\n(?=\S)", text):
        if pinned := _PINNED.match(block):
            comments = "\n".join(line.strip() for line in block.splitlines() if line.strip().startswith("#"))
            wanted = re.findall(r"^#(?: via)? +((?:-r )?[a-z0-9][a-z0-9._-]*)$", comments, re.MULTILINE)
            hashes = tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)))
            yield Locked(pinned["name"], pinned["version"], hashes, tuple(wanted))
