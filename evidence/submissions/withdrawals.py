"""Who took a link back, when and why: what the log says of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from controls.models import AuditEvent
from evidence.models import EvidenceLink, LinkState


@dataclass(frozen=True)
class Withdrawal:
    """One link taken back; `at` is in UTC, the name as the log has it."""

    by: str
    at: dt.datetime
    reason: str


def withdrawals_of(links: Iterable[EvidenceLink]) -> dict[int, Withdrawal]:
    """Of links that were withdrawn, by their keys. One statement, or none."""
    withdrawn = {
        link.uuid: link.pk for link in links if link.state == LinkState.WITHDRAWN
    }
    found = withdrawals_by_uuid(withdrawn)
    return {withdrawn[key]: withdrawal for key, withdrawal in found.items()}


def withdrawals_by_uuid(links: Iterable[UUID]) -> dict[UUID, Withdrawal]:
    """Of links known to be withdrawn, by their uuids. One statement, or none."""
    uuids = list(links)
    if not uuids:
        return {}
    events = AuditEvent.objects.filter(
        verb="evidence.withdrawn", subject_uuid__in=uuids
    ).order_by("seq")
    return {
        event.subject_uuid: Withdrawal(
            event.actor_name, event.at, json.loads(event.body).get("reason", "")
        )
        for event in events
        if event.subject_uuid is not None
    }
