"""`/dev/docs/...`: the documentation of this version as it lies in the folder of smartauth, in development only."""

from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from oauth.demo.markdown import render_markdown

FOLDER = "docs"
START = "docs/index.md"
PAGE, PICTURE = ".md", ".jpg"


@require_safe
def docs_page(request: HttpRequest, name: str) -> HttpResponseBase:
    """A page of docs/, or the README; or a picture that stands on one."""
    file = _file(name)
    if file is None:
        raise Http404
    if file.suffix == PICTURE:
        return FileResponse(file.open("rb"), content_type="image/jpeg")
    text = file.read_text(encoding="utf-8")
    title = text.partition("\n")[0].lstrip("# ")
    content = render_markdown(text, partial(_address, name=name))
    return render(request, "docs.html", {"title": title, "name": name, "content": content})


def has_docs() -> bool:
    """Whether the pages are there: an installed server has none."""
    return _file(START) is not None


def _file(name: str) -> Path | None:
    """The page or picture of that name, where it is one of the documentation."""
    if "\0" in name:  # no file has such a name, and asking for one fails
        return None
    file = (settings.BASE_DIR / name).resolve()
    inside = file.is_relative_to((settings.BASE_DIR / FOLDER).resolve()) or name == "README.md"
    return file if inside and file.suffix in (PAGE, PICTURE) and _is_there(file) else None


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that is longer than any file's
        return False


def _address(to: str, name: str) -> str:
    """Where a link or picture of that page leads here: to a page, a picture, a place, or another host."""
    url = urlsplit(to)
    if url.scheme or url.netloc or not url.path:
        return to
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / url.path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    target = "/".join(parts)
    place = f"#{url.fragment}" if url.fragment else ""
    return f"/dev/docs/{target}{place}" if _file(target) else ""
