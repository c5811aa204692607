"""`python -m smartauth_probe URL`."""

import sys

from smartauth_probe.command import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m smartauth_probe"))
