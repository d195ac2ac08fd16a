"""Print the control status of a system, for scripts."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from controls.models import System
from evidence.exports.formats.status_csv import columns_of, lines
from evidence.exports.rows.scope import ExportScope
from evidence.exports.rows.status_rows import documents
from evidence.management.asked_moment import AskedMoment


class Command(AskedMoment):
    """`control_status SYSTEM [--as-of DAY] [--known-at INSTANT] [--format csv|json]`.

    `--as-of` alone means as it was known then. Exit 2 on wrong use.
    """

    # The checks read every page's code, which takes longer than the work; the web
    # process does not start without them.
    requires_system_checks = ()
    name_a_system = "Name a system, or use --list."
    help = "Print each control of a system with both halves and the verdict."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        super().add_arguments(parser)
        parser.add_argument("--list", action="store_true", help="print the slugs")
        parser.add_argument("--format", choices=["csv", "json"], default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, or say what is wrong and exit with 2."""
        if options["list"]:
            slugs = list(System.objects.order_by("slug").values_list("slug", flat=True))
            for slug in slugs:
                self.stdout.write(slug)
            if not slugs:
                self.stderr.write("There is no system yet.")
            return
        system = self.asked_system(options)
        moment = self.asked_moment(system, options)
        window = self.asked_window(system, moment, options)
        try:
            rows = list(documents(system, moment, window))
        except LookupError as absent:
            self.refuse(str(absent))
        if options["format"] == "json":
            self.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False))
        else:
            same = columns_of(ExportScope(system, moment, window))
            made = b"".join(lines(rows, of_the_file=same))
            self.stdout.write(made.decode(), ending="")
