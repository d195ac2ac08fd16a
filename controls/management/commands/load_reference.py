"""Load the shipped facts; harmless to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from controls.grammar import count_of
from controls.models import ControlTextEdition, System
from controls.reference.loader import load
from controls.reference.shipped_files import shipped_version
from controls.reference.updates import preview


class Command(BaseCommand):
    """Catalog, baselines, readings and services of the shipped version."""

    help = "Load the shipped reference data (idempotent)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was added or changed."""
        changed = {name: count for name, count in load().items() if count}
        summary = ", ".join(f"{count} {name}" for name, count in changed.items())
        version = shipped_version()
        self.stdout.write(
            f"Reference data {version}: {summary or 'nothing to change'}."
        )
        if not ControlTextEdition.objects.exists():
            self.stdout.write(
                "The controls' official text is not imported: manage.py"
                " import_control_text official, or the path of NIST's catalog file."
            )
        if changed:
            self._list_waiting()

    def _list_waiting(self) -> None:
        """Which systems have classes to be looked at, and where."""
        for system in System.objects.order_by("slug"):
            if count := len(preview(system)):
                waiting = count_of(count, "change", "waits")
                self.stdout.write(
                    f"{system.slug}: {waiting} for an officer"
                    f" (/systems/{system.slug}/rereading/ or manage.py reread)."
                )
