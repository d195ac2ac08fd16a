"""Ids of the shipped catalog or of an official file, to check OSCAL documents by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controls.oscal.catalog import catalog_facts, read
from controls.oscal.references import CatalogIds
from controls.reference.shipped_files import rows

SHIPPED = "NIST SP 800-53 rev 5"


def shipped_ids() -> CatalogIds:
    """Controls and statements of the shipped catalog; of parameters it says nothing."""
    statements: dict[str, set[str]] = {}
    for row in rows("statements.csv"):
        statements.setdefault(row["control_id"], set()).add(row["statement_id"])
    return CatalogIds(
        SHIPPED,
        frozenset(row["control_id"] for row in rows("controls.csv")),
        {control: frozenset(ids) for control, ids in statements.items()},
    )


def ids_of_file(path: Path) -> CatalogIds:
    """Those of an official catalog, its parameters too. Raises OscalProblem."""
    facts = catalog_facts(path)
    statements: dict[str, set[str]] = {}
    for statement in facts.statements:
        ids = statements.setdefault(statement.control_id, set())
        ids.add(statement.statement_id)
    catalog = read(path, "catalog")
    return CatalogIds(
        str(catalog.get("metadata", {}).get("title", path.name)),
        frozenset(control.control_id for control in facts.controls),
        {control: frozenset(ids) for control, ids in statements.items()},
        frozenset(_params(catalog)),
    )


def _params(node: Mapping[str, Any]) -> Iterator[str]:
    yield from (param["id"] for param in node.get("params", []) if "id" in param)
    for below in (*node.get("groups", []), *node.get("controls", [])):
        yield from _params(below)
