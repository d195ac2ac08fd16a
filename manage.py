#!/usr/bin/env python3
"""Django's command line, with a database to talk to."""

import sys

from srm_project.local.command_line import main

if __name__ == "__main__":
    main(sys.argv)
