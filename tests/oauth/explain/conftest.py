"""What explanations are tested with: tokens from the workbench, and apps that refresh."""

from tests.oauth.tokens.conftest import launch as launch
from tests.oauth.tokens.conftest import make_app as make_app
from tests.oauth.tokens.conftest import refresh as refresh
from tests.oauth.workbench.conftest import asker as asker
