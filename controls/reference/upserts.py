"""Rows added where they are missing and changed where they differ, many at once."""

from __future__ import annotations

from typing import Any

from django.db import models

from controls.models import ReferenceVersion


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


def upsert_versioned(
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
