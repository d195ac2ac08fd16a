#!/usr/bin/env python3
"""Django's command line, with a database to talk to."""

import os
import sys

from srm_project.local.instance import database_for

READER_GONE = 141  # as a shell says of programs that SIGPIPE ended


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    with database_for("help" if {"-h", "--help"} & set(sys.argv) else command):
        try:
            execute_from_command_line(sys.argv)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read the output has seen enough: `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(READER_GONE)


if __name__ == "__main__":
    main()
