"""The report as one file of HTML that a person works through and keeps: no script, nothing that is loaded."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files

from smartauth_probe.report.html_body import body
from smartauth_probe.report.icons import icon
from smartauth_probe.report.printable import printable
from smartauth_probe.report.report import Report

_FRAME = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <meta http-equiv="Content-Security-Policy" content="{policy}">
  <title>{title}</title>
  <style>{style}</style>
</head>
<body class="report">
{sprite}
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="top-in"><span class="brand">{mark} smartauth probe</span></div></header>
<main id="main" tabindex="-1">
{body}
</main>
<footer class="foot"><div class="foot-in"><p>Made by <code>smartauth probe</code> {version}. \
Tokens and secrets are cut{kept}.</p>\
<p>One file: it loads nothing and runs no script.</p></div></footer>
</body>
</html>
"""


def as_html(report: Report) -> str:
    """The whole file."""
    whole = _FRAME.format(
        policy=content_security_policy(),
        title=f"{escape(report.title)}: {escape(report.server)}",
        style=_style(),
        sprite=_file("icons.svg").replace("<svg ", '<svg class="hidden-label" aria-hidden="true" ', 1).strip(),
        mark=icon("mark"),
        body=body(report),
        version=escape(report.version),
        kept="" if report.evidence.is_full else ", of patients only ids are kept",
    )
    return printable(whole)


def content_security_policy() -> str:
    """What the page may do: it has a style sheet of its own, and needs nothing else (CSP3)."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'"


def _style() -> str:
    return "\n" + _file("smartauth.css") + _file("report.css")


def _file(name: str) -> str:
    return files("smartauth_probe.report").joinpath(name).read_text(encoding="utf-8")
