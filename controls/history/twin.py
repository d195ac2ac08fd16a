"""The twin of one table and the view over both, kept in step with the table's columns.

A view is dropped only where its columns or the twin's have to change, always before
anything else is locked: a reader locks the view first, then the tables under it. Where
all agrees nothing is locked, so that a migrate beside long readers has nothing to wait
for. Callers are in a transaction: outside, readers would see the gap.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings

from controls.history import sql

ADDED_BY_US = {"id", "known_from", "known_until"}  # never empty in a twin


def has_versions(cursor: Any, table: str) -> bool:
    """Whether a view shows what this table says and said."""
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{table}_versions"])
    return bool(cursor.fetchone()[0])


def drop_versions(cursor: Any, table: str) -> None:
    """Drop the view, to change columns under it in the same transaction."""
    cursor.execute(sql.drop_versions_view(table))


def keep(cursor: Any, table: str) -> None:
    """Make twin, view and triggers agree with the table; may be run at any time."""
    columns = _columns(cursor, table)
    _keep_twin(cursor, table, columns)
    _keep_view(cursor, table, ["known_until", *columns])
    keep_trigger(cursor, table, "srm_known", sql.known_trigger(table))
    keep_trigger(cursor, table, "srm_keep", sql.keep_trigger(table))


def keep_trigger(cursor: Any, table: str, name: str, statement: str) -> None:
    """Run the statement that makes a trigger unless just this one made it already.

    The trigger bears the statement's digest as its comment.
    """
    digest = hashlib.sha256(statement.encode()).hexdigest()[:16]
    cursor.execute(
        "SELECT obj_description(oid, 'pg_trigger') FROM pg_trigger"
        " WHERE tgrelid = %s::regclass AND tgname = %s",
        [table, name],
    )
    if cursor.fetchone() != (digest,):
        cursor.execute(statement)
        cursor.execute(f"COMMENT ON TRIGGER {name} ON {table} IS '{digest}'")


def rename_twin(cursor: Any, old_table: str, new_table: str) -> None:
    """Let what a table said before follow it to its new name."""
    cursor.execute(sql.rename_history(old_table, new_table))


def rename_column(cursor: Any, table: str, old: str, new: str) -> None:
    """Let what a column said before follow it to its new name."""
    cursor.execute(sql.rename_history_column(table, old, new))


def _keep_twin(cursor: Any, table: str, columns: dict[str, str]) -> None:
    twin = f"{table}_history"
    cursor.execute("SELECT to_regclass(%s) IS NULL", [twin])
    if cursor.fetchone()[0]:
        cursor.execute(sql.history_table(table))
    kept = _columns(cursor, twin)
    changes = [
        sql.history_column(table, name, sql_type)
        if name not in kept
        else sql.history_column_type(table, name, sql_type)
        for name, sql_type in columns.items()
        if kept.get(name) != sql_type
    ]
    changes += [
        sql.loosen(table, name)
        for name in _required(cursor, twin)
        if name not in ADDED_BY_US
    ]
    if changes:
        drop_versions(cursor, table)
        for statement in changes:
            cursor.execute(statement)


def _keep_view(cursor: Any, table: str, columns: list[str]) -> None:
    there = has_versions(cursor, table)
    shown = list(_columns(cursor, f"{table}_versions")) if there else []
    if there and shown == columns:
        return
    if columns[: len(shown)] != shown:  # replacing may only append columns
        drop_versions(cursor, table)
    cursor.execute(sql.versions_view(table, columns[1:]))
    role = settings.APP_DATABASE_USER
    cursor.execute("SELECT current_user")
    if role and role != cursor.fetchone()[0]:
        cursor.execute(sql.grant_reading(f"{table}_versions", role))


def _columns(cursor: Any, relation: str) -> dict[str, str]:
    """The columns of a table or view in their order, with their types."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [relation],
    )
    return dict(cursor.fetchall())


def _required(cursor: Any, table: str) -> list[str]:
    """The columns that may not be empty."""
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attnotnull ORDER BY attnum",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]
