#!/usr/bin/env python
"""Django's command line for smartauth."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
    for place, argument in enumerate(sys.argv):
        if not argument.isascii() and any("\ud800" <= character <= "\udfff" for character in argument):
            sys.exit(f"manage.py: argument {place} is not UTF-8: {argument!a}")
    from django.core.management import execute_from_command_line

    from smartauth.running_server import follow_running_server

    if sys.argv[1:2] not in (["dev"], ["serve"]):
        follow_running_server(os.environ)
    execute_from_command_line(sys.argv)
