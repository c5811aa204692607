"""What explanations are tested with: tokens from the workbench."""

from tests.oauth.workbench.conftest import asker as asker
