"""`/dev/docs/...`: the documentation of this version as it lies in the folder of smartauth, in development only."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

FOLDER = "docs"
START = "docs/index.md"
_LINK = re.compile(r"\[(?P<text>[^\]\n]*(?:\n[^\]\n]+)?)\]\((?P<to>[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a page, or a link in it: `to` is "" for text and for what has no page here."""

    text: str
    to: str = ""


@require_safe
def docs_page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of docs/, or the README: its Markdown as it stands, with links that lead on."""
    file = _file(name)
    if file is None:
        raise Http404
    text = file.read_text(encoding="utf-8")
    title = text.partition("\n")[0].lstrip("# ")
    return render(request, "docs.html", {"title": title, "name": name, "pieces": _pieces(text, name)})


def has_docs() -> bool:
    """Whether the pages are there: an installed server has none."""
    return _file(START) is not None


def _file(name: str) -> Path | None:
    """The Markdown file of that name, where it is one of the documentation."""
    if "\0" in name:  # no file has such a name, and asking for one fails
        return None
    file = (settings.BASE_DIR / name).resolve()
    inside = file.is_relative_to((settings.BASE_DIR / FOLDER).resolve()) or name == "README.md"
    return file if inside and file.suffix == ".md" and _is_there(file) else None


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that is longer than any file's
        return False


def _pieces(text: str, name: str) -> list[Piece]:
    made, place = [], 0
    for link in _LINK.finditer(text):
        made += [Piece(text[place : link.start()]), Piece(" ".join(link["text"].split()), _address(link["to"], name))]
        place = link.end()
    return [*made, Piece(text[place:])]


def _address(to: str, name: str) -> str:
    """Where a link of that page leads here; other hosts are left to the reader."""
    path = to.partition("#")[0]
    if not path or ":" in path:
        return ""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    target = "/".join(parts)
    return f"/dev/docs/{target}" if _file(target) else ""
