"""Database and evidence into one verified set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from controls.grammar import count_of, size_in_words
from evidence.backup.make import make_backup
from evidence.management.counting import Counting


class Command(BaseCommand):
    """`backup PATH`: a new folder, or one file where PATH ends with `.tar`.

    Prints the sha256 of the manifest, which names all the rest, as `sha256sum` does.
    Exit 1: nothing was written, with the reason; 2: wrong use.
    """

    help = "Write database and evidence as one verified set, while others work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        parser.add_argument("path", type=Path, help="a new folder, or a new .tar file")
        parser.add_argument(
            "--leave-out-broken",
            action="store_true",
            help="go on without bytes that are not as recorded; each is read twice",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the set, and say what is in it."""
        target: Path = options["path"]
        try:
            made = make_backup(
                target,
                progress=Counting(self.stderr, "copied"),
                leave_out_broken=options["leave_out_broken"],
            )
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        except (OSError, DatabaseError) as failure:
            text = f"{target} was not written: {failure}"
            raise CommandError(text) from failure
        manifest = made.manifest
        for sha256 in manifest.left_out:
            self.stderr.write(f"Left out, since it is not as recorded: {sha256}")
        self.stderr.write(
            f"{count_of(manifest.blobs, 'file')} of evidence"
            f" ({size_in_words(manifest.blob_bytes)}) and the database, with all that"
            f" was begun before {manifest.known_at}."
        )
        self.stdout.write(f"{made.sha256}  {target}")
