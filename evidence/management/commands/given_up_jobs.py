"""Scans, removals and mails that workers gave up, and how to begin them anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from evidence.jobs.leases import given_up, revive
from evidence.tasks import KINDS


class Command(BaseCommand):
    """One line for each job; nothing is changed without --retry."""

    help = "List jobs that were given up, and why; --retry begins them anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """--retry."""
        parser.add_argument(
            "--retry",
            action="store_true",
            help="give each of them all its attempts again; the sweep wakes workers",
        )

    def handle(self, *args: Any, retry: bool, **options: Any) -> None:
        """Print what was given up, then begin it anew if that is asked for."""
        count = 0
        for kind in KINDS:
            for job in given_up(kind):
                day = f"{job.given_up_at:%Y-%m-%d %H:%M} UTC"
                reason = getattr(job, job.reason_field)
                name = job._meta.verbose_name
                self.stdout.write(f"{day} {name} {job.pk}, {job}: {reason}")
            count += revive(kind) if retry else given_up(kind).count()
        ending = "begun anew" if retry else "given up"
        self.stdout.write(f"{count} {'job' if count == 1 else 'jobs'} {ending}.")
