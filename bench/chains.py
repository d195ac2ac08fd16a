"""Audit events written by COPY that continue a chain with right hashes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from controls.models import AuditEvent
from controls.models.audit import GENESIS, Event, Head

COLUMNS = (
    "id, actor_name, chain, seq, verb, subject_type, subject_uuid, subject_label,"
    " operation, body, content_hash, prev_hash, hash, at, recorded_at"
)
CLOCK = "srm_audit_clock"  # the trigger that sets the times of an event
Row = tuple[Any, ...]


def copy_events(chain: str, dated: Iterable[tuple[Event, dt.datetime]]) -> None:
    """Append events of one chain, each at its instant.

    As the owner, while nobody else writes; later events take keys beyond theirs.
    """
    statement = f"COPY controls_auditevent ({COLUMNS}) FROM STDIN"
    with connection.cursor() as reader:
        reader.execute("SELECT coalesce(max(id), 0) FROM controls_auditevent")
        (key,) = reader.fetchone()
    last = AuditEvent.objects.filter(chain=chain).order_by("-seq").first()
    seq, head = (last.seq, bytes(last.hash)) if last else (0, GENESIS)
    with transaction.atomic(), connection.cursor() as cursor:
        # Its times are not those of the writing.
        cursor.execute(f"ALTER TABLE controls_auditevent DISABLE TRIGGER {CLOCK}")
        with cursor.copy(statement) as copy:
            for row in _rows(key, seq, head, dated):
                copy.write_row(row)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # none waits for its row
        cursor.execute(f"ALTER TABLE controls_auditevent ENABLE TRIGGER {CLOCK}")
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('controls_auditevent', 'id'),"
            " (SELECT max(id) FROM controls_auditevent))"
        )


def _rows(
    key: int, seq: int, head: bytes, dated: Iterable[tuple[Event, dt.datetime]]
) -> Iterator[Row]:
    for event, at in dated:
        row = AuditEvent.following(Head(seq, head, at, at), event)
        key, seq, head = key + 1, row.seq, row.hash
        yield (
            *(key, row.actor_name, row.chain, seq, row.verb, row.subject_type),
            *(row.subject_uuid, row.subject_label, row.operation, row.body),
            *(row.content_hash, row.prev_hash, row.hash, at, at),
        )
