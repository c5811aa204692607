"""What tests of the people's side may ask for."""

import pytest

from tests.conftest import App
from tests.fixture_types import MakeVisitor
from tests.oauth.visitor import Visitor


@pytest.fixture
def visitor(app: App) -> Visitor:
    """Somebody with a fresh browser."""
    return Visitor(app)


@pytest.fixture
def make_visitor(app: App) -> MakeVisitor:
    """More people with browsers of their own."""
    return lambda: Visitor(app)
