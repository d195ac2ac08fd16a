"""AU-01: whatever a request changes leaves the events that `events.txt` says.

Each address and method is tried by somebody whom `table.txt` lets do it. A request
that writes rows and leaves no event, or other events than the table says, fails here.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from controls.models import AuditEvent
from tests.access import world as worlds
from tests.access.test_reading_writes_nothing import WRITTEN, contents
from tests.access.walking import (
    Door,
    Undo,
    address,
    browser_of,
    doors,
    files_of,
    said_in_table,
)

TABLE = Path(__file__).with_name("events.txt")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
DONE = range(200, 303)
# Rows that say nothing of controls, evidence and people: who is here, what was sent
# twice, which assertions were used, which notices somebody has seen, how they want to
# be told, which filters somebody keeps.
NO_STATE = {
    "django_session",
    "controls_auditevent",
    "controls_idempotencykey",
    "controls_spentassertion",
    "evidence_notice",
    "evidence_noticepreference",
    "evidence_savedfilter",
}
PEOPLE = ("olivia", "alice", "rita", "audrey", "otto", "bob", "ray", "nora")


@pytest.fixture
def world(db, settings, tmp_path):
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def written() -> Counter[str]:
    """How many rows were written in each table, in what was taken back too."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return Counter(dict(cursor.fetchall()))


def what_it_left(world: Any, client: Any, door: Door, method: str) -> tuple:
    """Verbs of the events in their order, and the tables that say otherwise since."""
    body: Any = world.bodies.get(f"{method} {door.view}", {})
    how: dict[str, Any] = {"headers": {"If-Match": world.tag(door.view)}}
    files = files_of(body)
    for file in files:
        file.seek(0)
    if address(door, world).startswith("/api/") and not files:
        how["content_type"] = "application/json"
    before, last = written(), AuditEvent.objects.latest("pk").pk
    try:
        with transaction.atomic():
            getattr(client, method.lower())(address(door, world), body, **how)
            events = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
            verbs = list(dict.fromkeys(events.values_list("verb", flat=True)))
            touched = set(written() - before) - NO_STATE
            after = {} if verbs else contents(touched)
            raise Undo
    except Undo:
        was = contents(after)
        return verbs, {table for table in after if after[table] != was[table]}


def test_every_change_leaves_the_events_that_the_table_says(world) -> None:
    tables = {name: said_in_table(name) for name in PEOPLE}
    browsers = {name: browser_of(world, name) for name in PEOPLE}
    left, silent = [], {}
    for door in doors():
        for method in sorted(set(door.methods) & set(CHANGING)):
            way = method, door.view
            for name in PEOPLE:
                if tables[name][way] not in DONE:
                    continue
                verbs, changed = what_it_left(world, browsers[name], door, method)
                if changed:
                    silent[" ".join((*way, name))] = changed
                if verbs:
                    left.append(" ".join((*way, *verbs)))
                    break
    assert silent == {}, "These change rows and leave no event."
    table = TABLE.read_text(encoding="utf-8").splitlines()
    assert sorted(left) == [line for line in table if line and line[0] != "#"]
