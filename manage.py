#!/usr/bin/env python
"""Django's command line for smartauth."""

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # until the applications are there (smartauth/apps.py): what a start makes stays
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
    from smartauth.command_line.arguments import exit_if_not_utf_8

    exit_if_not_utf_8(sys.argv, "manage.py")
    from django.core.management import execute_from_command_line

    from smartauth.command_line.database_failures import database_failures_in_a_line, missing_data
    from smartauth.running_server import follow_running_server

    if sys.argv[1:2] not in (["dev"], ["serve"]):
        follow_running_server(os.environ)
    if problem := missing_data(sys.argv[1:], os.environ, "manage.py"):
        sys.exit(f"manage.py: {problem}")
    with database_failures_in_a_line("manage.py", sys.argv):
        execute_from_command_line(sys.argv)
