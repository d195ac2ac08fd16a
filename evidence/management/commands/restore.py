"""A set that `backup` made into an empty database and an empty store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from controls.grammar import count_of
from evidence.backup.restore import restore_backup
from evidence.management.counting import Counting

DIFFERENT = 1
MIGRATE = (
    "This version has {newer} more: run `manage.py migrate` and `manage.py"
    " load_reference`, then `manage.py verify_audit_log`."
)


class Command(BaseCommand):
    """`restore PATH`: the role that owns the database runs it, before any migrate.

    Prints the sha256 of the set's manifest. Exit 0: restored, and as in the backup; 1:
    refused, with nothing in the database, or restored with what differs on stderr; 2:
    wrong use.
    """

    help = "Restore a backup into an empty database and an empty evidence store."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        parser.add_argument("path", type=Path, help="what `backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore the set, and say what is in force."""
        source: Path = options["path"]
        try:
            restored = restore_backup(
                source, progress=Counting(self.stderr, "restored")
            )
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        except (OSError, DatabaseError) as failure:
            raise CommandError(f"{source} was not restored: {failure}") from failure
        manifest = restored.manifest
        for difference in restored.differences:
            self.stderr.write(difference)
        self.stderr.write(
            f"{count_of(manifest.blobs, 'file')} of evidence and the database as of"
            f" {manifest.known_at}."
        )
        if restored.to_migrate:
            newer = count_of(restored.to_migrate, "migration")
            self.stderr.write(MIGRATE.format(newer=newer))
        self.stdout.write(f"{restored.sha256}  {source}")
        if restored.differences:
            sys.exit(DIFFERENT)
