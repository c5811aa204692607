"""What tests of the people's side may ask for."""

from collections.abc import Callable

import pytest

from tests.conftest import App
from tests.oauth.visitor import Visitor


@pytest.fixture
def visitor(app: App) -> Visitor:
    """Somebody with a fresh browser."""
    return Visitor(app)


@pytest.fixture
def make_visitor(app: App) -> Callable[[], Visitor]:
    """More people with browsers of their own."""
    return lambda: Visitor(app)
