"""Brings the shipped facts into the database, touching only what differs."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import models, transaction

from controls.models import (
    AuditEvent,
    Baseline,
    BaselineControl,
    Catalog,
    Control,
    ControlLayer,
    ReferenceVersion,
    Service,
    ServiceLayer,
    ServiceVariant,
)
from controls.models.audit import Event
from controls.models.catalog import Origin

FOLDER = Path(__file__).parent
CATALOG = "nist-800-53-r5"
TITLES = {
    "nist-low": ("NIST LOW", "NIST"),
    "nist-moderate": ("NIST MODERATE", "NIST"),
    "nist-high": ("NIST HIGH", "NIST"),
    "nist-privacy": ("NIST PRIVACY", "NIST"),
    "fedramp-li-saas": ("FedRAMP LI-SaaS", "FedRAMP"),
    "fedramp-low": ("FedRAMP LOW", "FedRAMP"),
    "fedramp-moderate": ("FedRAMP MODERATE", "FedRAMP"),
    "fedramp-high": ("FedRAMP HIGH", "FedRAMP"),
    "nist-all": ("NIST SP 800-53, all live controls", "NIST"),
}
Rows = list[dict[str, str]]


def rows(name: str) -> Rows:
    """The rows of one shipped file."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reading_rows() -> Iterator[dict[str, str]]:
    """The rows of all families' readings."""
    for path in sorted((FOLDER / "readings").glob("*.csv")):
        yield from rows(f"readings/{path.name}")


def shipped_version() -> str:
    """The version of the shipped facts."""
    return (FOLDER / "VERSION").read_text(encoding="utf-8").strip()


def digest() -> str:
    """sha256 over all shipped files, in hex."""
    total = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*.csv")):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


@transaction.atomic
def load() -> Counter[str]:
    """Load everything; returns how many rows of each kind were added or changed.

    Running it again changes nothing and returns zeros.
    """
    changed: Counter[str] = Counter()
    version = _version()
    controls = _controls(changed)
    _baselines(controls, changed)
    _readings(controls, version, changed)
    _services(version, changed)
    if sum(changed.values()):
        AuditEvent.objects.append(
            Event(
                "reference.loaded",
                subject_label=version.version,
                body={"version": version.version, **changed},
            )
        )
    return changed


def _version() -> ReferenceVersion:
    version, _ = ReferenceVersion.objects.get_or_create(
        version=shipped_version(), defaults={"digest": digest()}
    )
    return version


def upsert(
    model: type[models.Model],
    key: tuple[str, ...],
    rows_by_key: dict[Any, dict[str, Any]],
    existing: models.QuerySet[Any],
) -> tuple[dict[Any, Any], int]:
    """Rows by key after adding what is missing and changing what differs.

    `rows_by_key` maps a key tuple to the other columns; returns rows and the number
    added or changed.
    """
    have = {tuple(getattr(row, name) for name in key): row for row in existing}
    fresh = [
        model(**dict(zip(key, row_key, strict=True)), **values)
        for row_key, values in rows_by_key.items()
        if row_key not in have
    ]
    model._default_manager.bulk_create(fresh, batch_size=1000)
    stale = []
    for row_key, values in rows_by_key.items():
        row = have.get(row_key)
        if row is not None and any(getattr(row, n) != v for n, v in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            stale.append(row)
    names = list(next(iter(rows_by_key.values()), {}))
    if stale:
        model._default_manager.bulk_update(stale, names, batch_size=500)
    for row in fresh:
        have[tuple(getattr(row, name) for name in key)] = row
    return have, len(fresh) + len(stale)


def _controls(changed: Counter[str]) -> dict[str, Control]:
    catalog, _ = Catalog.objects.get_or_create(
        slug=CATALOG,
        defaults={
            "title": "NIST SP 800-53 rev 5",
            "version": "5.2.0",
            "source": "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
        },
    )
    statements: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows("statements.csv"):
        statements[row["control_id"]].append(
            {
                "id": row["statement_id"],
                "label": row["label"],
                "name": row["name"],
                "depth": int(row["depth"]),
            }
        )
    shipped = rows("controls.csv")
    shipped_rows = {
        (catalog.pk, row["control_id"]): {
            "label": row["label"],
            "title": row["title"],
            "family": row["family"],
            "family_title": row["family_title"],
            "withdrawn": row["withdrawn"] == "1",
            "sort_order": number,
            "statements": statements[row["control_id"]],
        }
        for number, row in enumerate(shipped, start=1)
    }
    by_key, count = upsert(
        Control,
        ("catalog_id", "ref_id"),
        shipped_rows,
        Control.objects.filter(catalog=catalog),
    )
    changed["controls"] += count
    by_id = {ref_id: row for (_, ref_id), row in by_key.items()}
    _parents(by_id, shipped)
    return by_id


def _parents(by_id: dict[str, Control], shipped: Rows) -> None:
    moved = []
    for row in shipped:
        parent = by_id[row["parent"]].pk if row["parent"] else None
        control = by_id[row["control_id"]]
        if control.parent_id != parent:
            control.parent_id = parent
            moved.append(control)
    Control.objects.bulk_update(moved, ["parent"], batch_size=500)


def _baselines(by_id: dict[str, Control], changed: Counter[str]) -> None:
    catalog = Catalog.objects.get(slug=CATALOG)
    shipped_rows = {
        (catalog.pk, slug): {"title": title, "publisher": publisher}
        for slug, (title, publisher) in TITLES.items()
    }
    by_key, count = upsert(
        Baseline,
        ("catalog_id", "slug"),
        shipped_rows,
        Baseline.objects.filter(catalog=catalog),
    )
    changed["baselines"] += count
    chosen = {
        (by_key[(catalog.pk, row["baseline"])].pk, by_id[row["control_id"]].pk): {
            "parameters": json.loads(row["parameters"] or "{}")
        }
        for row in rows("baselines.csv")
    }
    whole = by_key[(catalog.pk, "nist-all")].pk
    chosen |= {
        (whole, control.pk): {"parameters": {}}
        for control in by_id.values()
        if not control.withdrawn
    }
    existing = BaselineControl.objects.filter(baseline__catalog=catalog)
    _, count = upsert(BaselineControl, ("baseline_id", "control_id"), chosen, existing)
    changed["selections"] += count


def _readings(
    by_id: dict[str, Control], version: ReferenceVersion, changed: Counter[str]
) -> None:
    """Shipped readings are replaced row by row; local ones are left alone."""
    shipped_rows: dict[Any, dict[str, Any]] = {}
    for row in reading_rows():
        as_base = row["as_base"] == "yes"
        for layer in [""] if as_base else row["layers"].split():
            key = (
                by_id[row["control_id"]].pk,
                row["statement_id"],
                layer,
                Origin.SHIPPED,
            )
            shipped_rows[key] = {"reason": row["reason"], "as_base": as_base}
    existing = ControlLayer.objects.filter(origin=Origin.SHIPPED)
    gone = [
        row.pk
        for row in existing
        if (row.control_id, row.statement_id, row.layer, row.origin) not in shipped_rows
    ]
    ControlLayer.objects.filter(pk__in=gone).delete()
    columns = ("control_id", "statement_id", "layer", "origin")
    _, count = _versioned(ControlLayer, columns, shipped_rows, existing, version)
    changed["readings"] += count + len(gone)


def _versioned(
    model: type[models.Model],
    key: tuple[str, ...],
    rows_by_key: dict[Any, dict[str, Any]],
    existing: models.QuerySet[Any],
    version: ReferenceVersion,
) -> tuple[dict[Any, Any], int]:
    """As `upsert`; rows that are added or changed carry the new version."""
    have = {tuple(getattr(r, n) for n in key): r for r in existing}
    for row_key, values in rows_by_key.items():
        row = have.get(row_key)
        same = row is not None and all(getattr(row, n) == v for n, v in values.items())
        values["reference_version_id"] = (
            row.reference_version_id if row is not None and same else version.pk
        )
    return upsert(model, key, rows_by_key, existing.all())


def _services(version: ReferenceVersion, changed: Counter[str]) -> None:
    shipped_rows = {
        (row["slug"],): {
            "name": row["name"],
            "provider": row["provider"],
            "category": row["category"],
            "is_global": row["is_global"] == "yes",
            "aliases": row["aliases"].split(),
            "source": row["source"],
        }
        for row in rows("services.csv")
    }
    services, count = upsert(Service, ("slug",), shipped_rows, Service.objects.all())
    changed["services"] += count
    variants, count = upsert(
        ServiceVariant,
        ("service_id", "slug"),
        {
            (services[(row["service"],)].pk, row["variant"]): {
                "name": row["name"],
                "is_default": row["is_default"] == "yes",
            }
            for row in rows("service_variants.csv")
        },
        ServiceVariant.objects.all(),
    )
    changed["variants"] += count
    layers = {
        (
            variants[(services[(row["service"],)].pk, row["variant"])].pk,
            row["layer"],
            Origin.SHIPPED,
        ): {
            "party": row["party"],
            "kind": row["kind"],
            "duty": row["duty"],
            "source": row["source"],
        }
        for row in rows("service_layers.csv")
    }
    existing = ServiceLayer.objects.filter(origin=Origin.SHIPPED)
    key = ("variant_id", "layer", "origin")
    _, count = _versioned(ServiceLayer, key, layers, existing, version)
    changed["layers"] += count
