"""Write the control status of a system into a file, for scripts and auditors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from controls.errors import Refused
from controls.models import AuditEvent
from controls.models.audit import about
from evidence.exports.files import write_durably
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import (
    ExportScope,
    NotWhole,
    ProcessEnded,
    is_complete,
    no_progress,
    one_snapshot,
    scope_of,
)
from evidence.management.asked_moment import AskedMoment
from evidence.storage import StoreFull, StoreUnreachable

UNFINISHED = (
    "What was begun before that instant is not recorded yet. Try again in a minute."
)


class Command(AskedMoment):
    """`export SYSTEM FORMAT --output PATH [--as-of DAY] [--known-at INSTANT]`.

    `--as-of` alone means as it was known then. The file is there whole or not at all;
    one of the same name is replaced. One audit event
    says what was written. Exit 2 on wrong use, 1 where it cannot be written.
    """

    help = "Write the control status of a system into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        super().add_arguments(parser)
        parser.add_argument("format", choices=sorted(FORMATS), help="of the file")
        parser.add_argument("--output", required=True, help="where to write the file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and print its sha256 and name, as `sha256sum` does."""
        system = self.asked_system(options)
        moment = self.asked_moment(system, options)
        window = self.asked_window(system, moment, options)
        target = self._target(options["output"])
        try:
            scope = scope_of(system, moment.on, moment.known_at, window)
        except Refused as refusal:
            self.refuse(" ".join(refusal.messages))
        if not is_complete(scope):
            raise CommandError(UNFINISHED)
        sha256 = _write(scope, options["format"], target)
        self.stdout.write(f"{sha256}  {target}")

    def _target(self, text: str) -> Path:
        target = Path(text)
        if target.is_dir():
            self.refuse(f"{target} is a folder: name a file in it.")
        if not target.parent.is_dir():
            self.refuse(f"There is no folder {target.parent}.")
        return target


def _write(scope: ExportScope, format_name: str, target: Path) -> str:
    """Hex sha256 of the file, which is there once it is whole. Raises CommandError."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with one_snapshot():
            sha256, _ = write_durably(
                partial,
                lambda file: FORMATS[format_name].write(scope, file, no_progress),
            )
        with transaction.atomic():
            partial.replace(target)
            _record(scope, format_name, sha256)
    except StoreFull as full:
        raise CommandError(
            f"There is no space left for {target}; nothing was written."
        ) from full
    except (ProcessEnded, NotWhole, StoreUnreachable) as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal
    except OSError as failure:
        raise CommandError(
            f"{target} was not written: {failure.strerror or failure}."
        ) from failure
    finally:
        partial.unlink(missing_ok=True)
    return sha256


def _record(scope: ExportScope, format_name: str, sha256: str) -> None:
    """Write that a file left, as a download is written (AU-01)."""
    AuditEvent.objects.append(
        about(
            scope.system,
            "export.written",
            by=None,
            on=str(scope.moment.on),
            known_at=scope.known_at.isoformat(),
            format=format_name,
            sha256=sha256,
        )
    )
