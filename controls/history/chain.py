"""Checks the audit log: every link of a chain, from its first event to its last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection

from controls.models import AuditEvent
from controls.models.audit import GENESIS, columns_in_body, link_hash

PIECE = 2000  # events read at once
# The first number up to a position that no event of the chain bears; else null.
FIRST_MISSING = """
WITH numbered AS (
  SELECT seq, row_number() OVER (ORDER BY seq) AS place
    FROM controls_auditevent WHERE chain = %s AND seq <= %s)
SELECT CASE WHEN wanted.last = kept.last THEN NULL
            ELSE coalesce(kept.gap, kept.last + 1) END
  FROM (SELECT %s::bigint AS last) AS wanted,
       (SELECT count(*) AS last, min(place) FILTER (WHERE seq <> place) AS gap
          FROM numbered) AS kept
"""
# How a column is called where a break is named.
SPOKEN = {
    "actor_id": "actor",
    "subject_type": "kind of subject",
    "at": "time",
    "recorded_at": "time of recording",
}


@dataclass(frozen=True)
class Break:
    """The first event of a chain that does not verify, and why."""

    chain: str
    seq: int
    why: str


@dataclass(frozen=True)
class Position:
    """How far a chain was verified: the number and the hash (hex) of that event."""

    chain: str
    seq: int
    hash: str


Passed = Callable[[Position], None]


def verify(
    chain: str, *, after: Position | None = None, passed: Passed | None = None
) -> Break | None:
    """None when every event of the chain follows from the one before it.

    `after`: what was verified before, and is not read again; that nothing of it is
    missing and that it ends as it did is looked at. `passed` is called with the last
    event that verifies, after each PIECE of them.
    """
    prev, number = GENESIS, 0
    if after is not None:
        if broken := _changed_before(after):
            return broken
        prev, number = bytes.fromhex(after.hash), after.seq
    events = AuditEvent.objects.filter(chain=chain).order_by("seq")
    further = events.filter(seq__gt=number) if after else events
    while piece := list(further[:PIECE]):
        for event in piece:
            if why := _fault(event, number + 1, prev):
                if passed and number:
                    passed(Position(chain, number, prev.hex()))
                missing = event.seq != number + 1
                return Break(chain, number + 1 if missing else event.seq, why)
            prev, number = bytes(event.hash), event.seq
        further = events.filter(seq__gt=number)
        if passed:
            passed(Position(chain, number, prev.hex()))
    return None


def _fault(event: AuditEvent, expected: int, prev: bytes) -> str:
    """Why an event does not follow, empty where it does."""
    if event.seq != expected:
        return "an event is missing"
    if bytes(event.content_hash) != hashlib.sha256(event.body.encode()).digest():
        return "its body was changed"
    if bytes(event.prev_hash) != prev:
        return "it does not follow the event before it"
    of_this = link_hash(event.chain, event.seq, prev, bytes(event.content_hash))
    if bytes(event.hash) != of_this:
        return "its hash does not match"
    column = _differing_column(event)
    return f"its {column} is not what was hashed" if column else ""


def _changed_before(position: Position) -> Break | None:
    """What shows without reading it all: one is missing, or the last is another."""
    chain = position.chain
    with connection.cursor() as cursor:
        cursor.execute(FIRST_MISSING, [chain, position.seq, position.seq])
        (missing,) = cursor.fetchone()
    if missing is not None:
        return Break(chain, missing, "an event is missing that was verified before")
    last = AuditEvent.objects.filter(chain=chain, seq=position.seq).get()
    if bytes(last.hash).hex() != position.hash:
        return Break(chain, position.seq, "it is not the one that was verified before")
    return None


def _differing_column(event: AuditEvent) -> str | None:
    """The first column that says otherwise than the hashed body."""
    hashed = json.loads(event.body).get("_", {})
    columns = columns_in_body(event, hashed.get("version", 1))
    if "version" not in hashed:  # the name was cut for its column alone
        hashed |= {"actor": (hashed.get("actor") or "")[:200]}
    differing = (name for name in columns if columns[name] != hashed.get(name))
    return next((SPOKEN.get(name, name) for name in differing), None)


def verify_all() -> Iterator[Break]:
    """The first break of each chain that has one."""
    chains = AuditEvent.objects.order_by().values_list("chain", flat=True).distinct()
    for chain in sorted(chains):
        broken = verify(chain)
        if broken is not None:
            yield broken
