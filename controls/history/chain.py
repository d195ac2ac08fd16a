"""Checks the audit log: every link of a chain, from its first event to its last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from controls.models import AuditEvent
from controls.models.audit import GENESIS, link_hash


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
        expected += 1
    return None


def verify_all() -> Iterator[Break]:
    """The first break of each chain that has one."""
    chains = AuditEvent.objects.order_by().values_list("chain", flat=True).distinct()
    for chain in sorted(chains):
        broken = verify(chain)
        if broken is not None:
            yield broken
