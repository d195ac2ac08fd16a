"""Write the shipped catalog facts from official OSCAL JSON files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controls.oscal.catalog import (
    CatalogFacts,
    OscalProblem,
    catalog_facts,
    profile_facts,
)
from controls.reference.shipped_files import FOLDER


class Command(BaseCommand):
    """`build_reference --catalog FILE --profile SLUG=FILE ... [--into FOLDER]`."""

    help = "Write controls.csv, statements.csv and baselines.csv: facts, no prose."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Paths of the official files."""
        parser.add_argument("--catalog", type=Path, required=True)
        parser.add_argument(
            "--profile", action="append", default=[], metavar="SLUG=FILE"
        )
        parser.add_argument("--into", type=Path, default=FOLDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write all files, or none and say what is wrong where."""
        for profile in options["profile"]:
            if "=" not in profile:
                raise CommandError(f"--profile “{profile}” is not SLUG=FILE.")
        into: Path = options["into"]
        if not into.is_dir():
            raise CommandError(f"--into “{into}” is not a folder.")
        try:
            facts = catalog_facts(options["catalog"])
            rows = list(_baselines(facts, options["profile"]))
        except OscalProblem as problem:
            raise CommandError(str(problem)) from problem
        _write(into / "controls.csv", CONTROLS, _controls(facts))
        _write(into / "statements.csv", STATEMENTS, _statements(facts))
        _write(into / "baselines.csv", BASELINES, rows)
        self.stdout.write(
            f"{len(facts.controls)} controls, {len(facts.statements)} statements,"
            f" {len(rows)} selections of catalog {facts.version} into {into}"
        )


CONTROLS = (
    "control_id",
    "label",
    "title",
    "family",
    "family_title",
    "parent",
    "withdrawn",
)
STATEMENTS = ("control_id", "statement_id", "name", "label", "depth")
BASELINES = ("baseline", "control_id", "parameters")


def _controls(facts: CatalogFacts) -> Iterable[Sequence[object]]:
    for control in facts.controls:
        yield (
            control.control_id,
            control.label,
            control.title,
            control.family,
            control.family_title,
            control.parent,
            int(control.withdrawn),
        )


def _statements(facts: CatalogFacts) -> Iterable[Sequence[object]]:
    for statement in facts.statements:
        yield (
            statement.control_id,
            statement.statement_id,
            statement.name,
            statement.label,
            statement.depth,
        )


def _baselines(
    facts: CatalogFacts, profiles: Iterable[str]
) -> Iterable[Sequence[object]]:
    known = {control.control_id: control for control in facts.controls}
    for profile in profiles:
        slug, _, file = profile.partition("=")
        for selection in profile_facts(Path(file), known):
            values = json.dumps(dict(selection.parameters), sort_keys=True)
            yield (slug, selection.control_id, values if selection.parameters else "")


def _write(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    partial.replace(path)
