"""Where files lie that are no Python of ours: beside manage.py in a checkout, inside this package once installed."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
BUNDLED = PACKAGE / "bundled"
IS_INSTALLED = BUNDLED.is_dir()
RESOURCES = BUNDLED if IS_INSTALLED else PACKAGE.parent


def usual_data_folder() -> Path:
    """`var` of the checkout; once installed a folder of the account, the same from wherever a command is called."""
    if not IS_INSTALLED:
        return RESOURCES / "var"
    chosen = Path(os.environ.get("XDG_DATA_HOME", ""))
    # XDG Base Directory Specification: a relative path counts as not set
    parent = chosen if chosen.is_absolute() else Path(os.path.expanduser("~/.local/share"))
    return parent.absolute() / "smartauth"
