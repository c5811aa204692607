"""Commands that libraries bring: those that would pass by our rules are refused, and each is decided about."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import execute_from_command_line, find_commands, get_commands

ROOT = Path(__file__).resolve().parents[2]
INSTEAD = {
    "changepassword": "manage.py password USER --set",
    "createsuperuser": "manage.py seed FILE",
    "createapplication": "manage.py seed FILE",
    "cleartokens": "celery -A smartauth worker",
    "clearcimdapplications": "admin disables a client",
}
HARMLESS = {
    "clearsessions": "deletes sessions that are over, as the sweep does",
    "collectstatic": "copies files",
    "findstatic": "reads files",
    "generateschema": "reads code",
    "remove_stale_contenttypes": "deletes rows of Django's that no model of ours leads to",
    "runserver": "serves the people's side behind the same gate and door",
}


@pytest.mark.requirement("RF-08")
@pytest.mark.parametrize("name", INSTEAD)
def test_a_command_that_passes_by_our_rules_is_refused_whatever_it_is_asked_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        execute_from_command_line(["manage.py", name, "confidential", "--noinput"])

    assert INSTEAD[name] in " ".join(capsys.readouterr().err.split())


def test_every_command_of_a_library_is_decided_about() -> None:
    """An app or a version that brings another command: here it is said whether that keeps our rules."""
    libraries = [Path(app.path) for app in apps.get_app_configs() if not Path(app.path).is_relative_to(ROOT / app.name)]

    found = {name for path in libraries for name in find_commands(str(path / "management"))}

    assert found == INSTEAD.keys() | HARMLESS.keys()
    assert {name for name, app in get_commands().items() if app == "accounts"} == set(INSTEAD)
