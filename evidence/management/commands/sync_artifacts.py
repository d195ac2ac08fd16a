"""Read which reports AWS Artifact lists, and bring them into the register."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from controls.grammar import count_of
from evidence.artifacts.sync import sync_now
from evidence.models import ArtifactSync
from evidence.models.artifact_syncs import SyncState

REFUSED, IN_PART = 1, 3


class Command(BaseCommand):
    """Exit 0: done. Exit 1: nothing was read. Exit 3: done in part, errors follow."""

    help = (
        "Read which reports AWS Artifact lists, and bring them into the register, in"
        " the name of ARTIFACT_SYNC_AS. Terms are not accepted, nothing is downloaded."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read it here, and print what came of it."""
        try:
            sync = sync_now(by=None)
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        if sync.state in {SyncState.QUEUED, SyncState.FAILED}:
            self._stop(sync.error or "Nothing was read: a worker tries it.")
        self._print(sync)
        if sync.state == SyncState.PARTIAL:
            sys.exit(IN_PART)

    def _print(self, sync: ArtifactSync) -> None:
        reports = count_of(sync.read, "report")
        self.stdout.write(
            f"Read {reports} in {count_of(sync.calls, 'call')} to"
            f" {settings.ARTIFACT_SYNC_ENDPOINT or 'AWS'}: {sync.registered}"
            f" registered, {sync.changed} changed, {sync.not_placed} to be placed by a"
            " registrar."
        )
        if sync.failed:
            self.stdout.write(f"{count_of(sync.failed, 'error')}; what was read stays:")
        for error in sync.errors:
            where = " ".join(filter(None, [error["report"], error["action"]]))
            self.stdout.write(f"- {where}: {error['sentence']}".replace("- : ", "- "))

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(REFUSED)
