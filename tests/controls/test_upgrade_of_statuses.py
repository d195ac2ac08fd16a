"""Statuses from before statements had days: what they answered stays, to the byte."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from controls.history.clock import knowledge_now
from controls.models import (
    AuditEvent,
    ControlImplementation,
    ImplementationStatement,
    System,
    User,
)
from controls.models.audit import about
from evidence.status.gather import Moment, implementations
from tests import factories

MIGRATION = import_module("controls.migrations.0012_implementation_status_has_days")
DAY = dt.timedelta(days=1)
Statuses = dict[str, tuple[str, Any]]


def describe(system: System, ref_id: str, **columns: Any) -> None:
    """Write the row itself, as the version before did."""
    rows = ControlImplementation.objects.filter(system=system)
    rows.filter(control__ref_id=ref_id).update(**columns)


def rows_as_known(system: System, instant: dt.datetime) -> Statuses:
    """What the rows of the controls said at an instant, read from their history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.ref_id, v.implementation_status, v.part_statuses::text"
            " FROM controls_controlimplementation_versions v"
            " JOIN controls_control c ON c.id = v.control_id"
            " WHERE v.system_id = %s AND v.known_from < %s"
            " AND (v.known_until IS NULL OR v.known_until >= %s)",
            [system.pk, instant, instant],
        )
        return {ref_id: (status, parts) for ref_id, status, parts in cursor.fetchall()}


def gathered(system: System, day: dt.date, instant: dt.datetime | None) -> Statuses:
    """What the facts of a day say, with the parts as they are stored."""
    return {
        str(row["ref_id"]): (row["implementation_status"], row["part_statuses"])
        for row in implementations(system, Moment(day, instant))
    }


def upgrade() -> None:
    """Run the migration's data step: as the migrate command, with a new table that
    has no triggers yet."""
    table = "controls_implementationstatement"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER srm_known")
        editor = SimpleNamespace(connection=connection)
        MIGRATION.keep_what_was_said(None, editor)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER srm_known")


def begin_with_statuses() -> None:
    """Let all controls be implemented without anybody having said so, as the version
    before made them; that they ever were not stated is forgotten."""
    ControlImplementation.objects.update(implementation_status="implemented")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM controls_controlimplementation_history")


@pytest.mark.django_db(transaction=True)
def test_answers_as_known_before_the_upgrade_stay(
    oscar: User, as_owner: Callable[[], AbstractContextManager[None]]
) -> None:
    """R28, R31: what a person said goes on, what nobody said is not stated from the
    day of the upgrade on, and what was known before it answers as it did."""
    system = factories.make_system(oscar, stated=False)
    with as_owner():
        begin_with_statuses()
    instants = [knowledge_now()]
    describe(system, "ac-1", implementation_status="partial")
    instants.append(knowledge_now())
    describe(system, "ac-1", implementation_status="implemented")
    describe(system, "ac-2", part_statuses={"ac-2_smt.j": "planned"})
    instants.append(knowledge_now())
    said = {"before": {}, "after": {"implementation_status": "implemented"}}
    confirmed = factories.implementation(system, "cm-2")
    with transaction.atomic():
        AuditEvent.objects.append(
            about(confirmed, "implementation.described", by=oscar, **said)
        )
    before = [rows_as_known(system, instant) for instant in instants]
    assert before[0]["ac-1"] != before[1]["ac-1"] != before[2]["ac-1"]

    with as_owner():
        upgrade()

    today = system.day_of(knowledge_now())
    for instant, answer in zip(instants, before, strict=True):
        for day in (today - 400 * DAY, today, today + 400 * DAY):
            assert gathered(system, day, instant) == answer
    stated = {"ac-1", "ac-2", "cm-2"}
    for instant in (None, knowledge_now()):
        assert gathered(system, today - DAY, instant) == before[2]
        for day in (today, today + 400 * DAY):
            for ref_id, answer in gathered(system, day, instant).items():
                expected = before[2][ref_id] if ref_id in stated else ("not-stated",)
                assert answer[: len(expected)] == expected
    shown = ControlImplementation.objects.filter(implementation_status="not-stated")
    assert shown.count() == len(before[2]) - len(stated)
    assert not ImplementationStatement.objects.exclude(stated_by=None).exists()
