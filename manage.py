#!/usr/bin/env python3
"""Django's command line, with a database to talk to."""

import os
import sys

from srm_project.local.instance import database_for


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    with database_for("help" if {"-h", "--help"} & set(sys.argv) else command):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
