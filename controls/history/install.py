"""Runs after every migrate: twins, triggers, views and grants follow the models."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction

from controls.history import (
    auditors,
    closings,
    engagements,
    proof,
    retention,
    second_person,
    sql,
    standings,
    twin,
)
from controls.history.lock_limit import limit_lock_waits, refuse_long_wait

CLOCKED_APPS = ("controls", "evidence")


def keeping_history() -> list[type[models.Model]]:
    """Models whose rows change and whose past is kept."""
    return [m for m in _ours() if getattr(m, "keeps_history", False)]


def append_only() -> list[type[models.Model]]:
    """Models whose rows are never changed."""
    return [m for m in _ours() if getattr(m, "append_only", False)]


def _ours() -> list[type[models.Model]]:
    return [m for app in CLOCKED_APPS for m in apps.get_app_config(app).get_models()]


def after_migrate(*, sender: Any, using: str, **kwargs: Any) -> None:
    """Install everything, once both apps have their tables."""
    if sender.name != "evidence":
        return
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {m._meta.db_table for m in _ours()} <= tables:
        return
    with refuse_long_wait(), transaction.atomic(using), connection.cursor() as cursor:
        limit_lock_waits(connection)
        install(cursor)


def install(cursor: Any) -> None:
    """Make database and models agree, in a transaction; may be run at any time."""
    cursor.execute(sql.FUNCTIONS)
    cursor.execute(retention.FUNCTIONS)
    for model in keeping_history():
        twin.keep(cursor, model._meta.db_table)
    for model in append_only():
        _freeze(cursor, model)
    for table, name, statement in (
        ("controls_auditevent", "srm_audit_clock", sql.AUDIT_CLOCK),
        ("evidence_review", "srm_review_matches", sql.REVIEW_MATCHES),
        ("evidence_evidencelink", "srm_accepted_by_review", sql.ACCEPTED_BY_REVIEW),
        ("evidence_evidencelink", "srm_accepted_at_once", sql.ACCEPTED_AT_ONCE),
        ("evidence_proof", "srm_proof_has_link", sql.PROOF_HAS_LINK),
    ):
        twin.keep_trigger(cursor, table, name, statement)
    for room in (second_person, auditors, closings, engagements, proof, retention):
        for name, (table, when, forbidden) in room.GUARDS.items():
            cursor.execute(sql.refusing(name, forbidden, room.REFUSAL))
            twin.keep_trigger(cursor, table, name, sql.before_rows(name, when, table))
    for function, triggers in standings.statements():
        cursor.execute(function)
        for table, name, statement in triggers:
            twin.keep_trigger(cursor, table, name, statement)
    _grant(cursor)


def _freeze(cursor: Any, model: type[models.Model]) -> None:
    table = model._meta.db_table
    refusal = sql.append_only_trigger(table)
    twin.keep_trigger(cursor, table, "srm_append_only", refusal)
    if any(field.name == "known_from" for field in model._meta.fields):
        twin.keep_trigger(cursor, table, "srm_known", sql.known_trigger(table))


def _grant(cursor: Any) -> None:
    role = settings.APP_DATABASE_USER
    cursor.execute("SELECT current_user")
    if not role or role == cursor.fetchone()[0]:
        return
    frozen = [m._meta.db_table for m in append_only()]
    twins = [f"{m._meta.db_table}_history" for m in keeping_history()]
    cursor.execute(sql.grants(role, frozen, twins))
