"""Brings the shipped facts into the database, touching only what differs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from django.db import transaction

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
from controls.reference.shipped_files import (
    Rows,
    digest,
    reading_rows,
    rows,
    shipped_version,
    summary_rows,
)
from controls.reference.upserts import upsert, upsert_versioned

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
    summaries = {row["control_id"]: row["summary"] for row in summary_rows()}
    shipped_rows = {
        (catalog.pk, row["control_id"]): {
            "label": row["label"],
            "title": row["title"],
            "summary": summaries.get(row["control_id"], ""),
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
    _, count = upsert_versioned(ControlLayer, columns, shipped_rows, existing, version)
    changed["readings"] += count + len(gone)


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
    _, count = upsert_versioned(ServiceLayer, key, layers, existing, version)
    changed["layers"] += count
