"""People with browsers, as the tests of the people's side have them."""

from tests.oauth.conftest import make_visitor as make_visitor
from tests.oauth.conftest import visitor as visitor
