"""The pages of the docs and the blocks in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.running import ROOT

FENCE = re.compile(r"^(?:<!-- run (?P<place>[a-z ]+) -->\n)?```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.M | re.S)
MARKER = re.compile(r"<!--\s*run", re.I)
SOURCE = re.compile(r"^<!-- part of (?P<file>\S+) -->\n```[a-z]+\n(?P<text>.*?)^```$", re.M | re.S)
FIRST_MINUTE = re.compile(r"^    ((?:TOKEN=|curl |# ).*\n)", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block: in which language, what stands in it, and where it is run if that is said."""

    language: str
    text: str
    place: str = ""


def pages() -> list[Path]:
    """README and every page of the docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    """In order. Raises where a place is said in other words: such a block would be run on this machine."""
    text = page.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    placed_blocks = [found for found in fences if found["place"]]
    assert len(MARKER.findall(text)) == len(placed_blocks), f"{page}: a `<!-- run ... -->` that no block follows"
    for found in fences:
        yield Block(found["language"], found["text"], found["place"] or "")


def commands(page: Path) -> str:
    """Everything of a page that is meant for a shell and for a development server, in order."""
    if page.name == "README.md" and page.parent == ROOT:
        lines = FIRST_MINUTE.findall(page.read_text(encoding="utf-8"))
        return "".join(f"\n{line}" if line.startswith("#") else line for line in lines)
    return "\n".join(block.text for block in blocks(page) if block.language == "sh" and not block.place)


def placed(page: str, place: str) -> list[str]:
    """The commands of a page of the docs that are run in that place, block by block."""
    return [block.text for block in blocks(ROOT / "docs" / page) if block.language == "sh" and block.place == place]


def quoted(page: Path) -> Iterator[tuple[str, str]]:
    """What a page says to be part of a file: the file and the text."""
    for found in SOURCE.finditer(page.read_text(encoding="utf-8")):
        yield found["file"], found["text"]
