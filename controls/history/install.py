"""Runs after every migrate: twins, triggers, views and grants follow the models."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models

from controls.history import sql

CLOCKED_APPS = ("controls", "evidence")


def keeping_history() -> list[type[models.Model]]:
    """Models whose rows change and whose past is kept."""
    return [m for m in _ours() if getattr(m, "keeps_history", False)]


def append_only() -> list[type[models.Model]]:
    """Models whose rows are never changed."""
    return [m for m in _ours() if getattr(m, "append_only", False)]


def _ours() -> list[type[models.Model]]:
    return [m for app in CLOCKED_APPS for m in apps.get_app_config(app).get_models()]


def before_migrate(*, using: str, **kwargs: Any) -> None:
    """Drop the views that would stand in the way of a changed column."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for model in keeping_history():
            cursor.execute(f"DROP VIEW IF EXISTS {model._meta.db_table}_versions")


def after_migrate(*, sender: Any, using: str, **kwargs: Any) -> None:
    """Install everything, once both apps have their tables."""
    if sender.name != "evidence":
        return
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {m._meta.db_table for m in _ours()} <= tables:
        return
    with connection.cursor() as cursor:
        install(cursor)


def install(cursor: Any) -> None:
    """Make database and models agree; may be run any number of times."""
    cursor.execute(sql.FUNCTIONS)
    for model in keeping_history():
        _keep(cursor, model._meta.db_table)
    for model in append_only():
        _freeze(cursor, model)
    cursor.execute(sql.AUDIT_CLOCK)
    cursor.execute(sql.REVIEW_MATCHES)
    _grant(cursor)


def _keep(cursor: Any, table: str) -> None:
    cursor.execute(sql.history_table(table))
    current, kept = _columns(cursor, table), _columns(cursor, f"{table}_history")
    for name, sql_type in current.items():
        if name not in kept:
            cursor.execute(sql.history_column(table, name, sql_type))
    for name in kept:
        if name not in {"id", "known_from", "known_until"}:
            cursor.execute(sql.loosen(table, name))
    cursor.execute(sql.versions_view(table, list(current)))
    cursor.execute(sql.known_trigger(table))
    cursor.execute(sql.keep_trigger(table))


def _freeze(cursor: Any, model: type[models.Model]) -> None:
    table = model._meta.db_table
    cursor.execute(sql.append_only_trigger(table))
    if any(field.name == "known_from" for field in model._meta.fields):
        cursor.execute(sql.known_trigger(table))


def _columns(cursor: Any, table: str) -> dict[str, str]:
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [table],
    )
    return dict(cursor.fetchall())


def _grant(cursor: Any) -> None:
    role = getattr(settings, "APP_DATABASE_USER", "")
    cursor.execute("SELECT current_user")
    if not role or role == cursor.fetchone()[0]:
        return
    frozen = [m._meta.db_table for m in append_only()]
    twins = [f"{m._meta.db_table}_history" for m in keeping_history()]
    cursor.execute(sql.grants(role, frozen, twins))
