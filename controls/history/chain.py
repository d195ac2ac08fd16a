"""Checks the audit log: every link of a chain, from its first event to its last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from controls.models import AuditEvent
from controls.models.audit import GENESIS, columns_in_body, link_hash

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


def verify(chain: str) -> Break | None:
    """None when every event of the chain follows from the one before it."""
    prev, expected = GENESIS, 1
    events = AuditEvent.objects.filter(chain=chain).order_by("seq")
    for event in events.iterator(chunk_size=2000):
        if event.seq != expected:
            return Break(chain, expected, "an event is missing")
        if bytes(event.content_hash) != hashlib.sha256(event.body.encode()).digest():
            return Break(chain, event.seq, "its body was changed")
        if bytes(event.prev_hash) != prev:
            return Break(chain, event.seq, "it does not follow the event before it")
        prev = link_hash(chain, event.seq, prev, bytes(event.content_hash))
        if bytes(event.hash) != prev:
            return Break(chain, event.seq, "its hash does not match")
        column = _differing_column(event)
        if column:
            return Break(chain, event.seq, f"its {column} is not what was hashed")
        expected += 1
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
