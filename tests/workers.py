"""Several workers side by side (`-n 2`, pytest-xdist): each has a data folder, databases and a Redis of its own."""

import gc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

_DATA, _REDIS = "SMARTAUTH_DATA_DIR", "SMARTAUTH_REDIS_URL"
# Files that take long, the longest first: begun last, they would leave the other workers idle.
LONG = (
    "images/test_operating_pages.py", "docs/test_contributing.py", "docs/test_commands.py",
    "races/test_invalidate.py", "flows/test_first_minute.py",
    "kill/test_mixed_load.py", "clients/test_node_fhir_server_core.py", "drills/test_drills.py",
    "flows/test_stranger.py", "kill/test_kill.py", "fuzz/test_requests.py", "fuzz/test_floods.py", "fuzz/test_cost.py",
    "images/test_images.py", "kill/test_restore.py", "images/test_dev_image.py", "flows/test_read_checks.py",
    "fuzz/test_forms.py",
    "docs/test_your_tests.py", "browser/test_accessibility.py",
    "browser/test_accessibility_for_operators.py", "browser/test_sample_app.py", "browser/test_admin.py",
    "browser/test_granular_consent.py", "browser/test_ehr_launch.py", "browser/test_standalone_launch.py",
    "races/test_exchange.py",
    "smartauth/test_startup_checks.py", "flows/test_two_servers.py", "races/test_client_credentials.py",
    "races/test_refresh.py", "races/test_fhir_writing.py", "flows/test_upgrade.py",
    "oauth/ending/test_first_reason.py", "fhir/versions/test_fixture.py", "oauth/clients/test_jwks_cache.py",
    "flows/test_proxy.py", "flows/test_java_recipes.py", "audit/test_roles.py",
    "flows/test_bad_tokens.py", "flows/test_key_rotation.py", "operators/admin/test_every_door.py",
    "operators/admin/test_row_ids.py",
    "smartauth/test_distributions.py", "flows/test_model.py", "smartauth_probe/test_versions.py", "test_workers.py",
    "flows/test_probe.py",
)  # fmt: skip
_TESTS = Path(__file__).resolve().parent


def own_environment(worker: str) -> dict[str, str]:
    """What a worker finds in place of the run's own; pytest-django names its test databases after it too."""
    folder = Path(os.environ.get(_DATA) or "var") / worker
    own = {_DATA: str(folder)}
    if url := os.environ.get(_REDIS):
        own[_REDIS] = urlunsplit(urlsplit(url)._replace(path=f"/{1 + int(worker.removeprefix('gw'))}"))
    return own


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Before a worker reads any setting."""
    worker = own_environment(node.gateway.id)
    Path(worker[_DATA]).mkdir(mode=0o700, parents=True, exist_ok=True)
    node.gateway.remote_exec("import os; os.environ.update(channel.receive())").send(worker)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first."""
    turn = {_TESTS / file: number for number, file in enumerate(LONG)}
    items.sort(key=lambda item: turn.get(item.path, len(LONG)))


# What is collected stays until the end: to look for garbage in it takes seconds of each worker ------------------------


def pytest_configure() -> None:
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Everything is there."""
    gc.freeze()
    gc.enable()
