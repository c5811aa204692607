"""Composition root: settings, the map of the server, start checks, the command line. Nobody imports it."""

import sys

from smartauth.resources import BUNDLED, IS_INSTALLED

if IS_INSTALLED and (_packages := str(BUNDLED / "packages")) not in sys.path:
    # smartauth_probe of this very version: a distribution of that name may be installed beside, and is left alone
    sys.path.insert(0, _packages)
