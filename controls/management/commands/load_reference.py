"""Load the shipped facts; harmless to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from controls.reference import loader


class Command(BaseCommand):
    """Catalog, baselines, readings and services of the shipped version."""

    help = "Load the shipped reference data (idempotent)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was added or changed."""
        changed = {name: count for name, count in loader.load().items() if count}
        said = ", ".join(f"{count} {name}" for name, count in changed.items())
        version = loader.shipped_version()
        self.stdout.write(f"Reference data {version}: {said or 'nothing to change'}.")
