"""Who took a link back, when and why: what the log says of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

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
    events = AuditEvent.objects.filter(
        verb="evidence.withdrawn", subject_uuid__in=list(withdrawn)
    ).order_by("seq")
    return {
        withdrawn[event.subject_uuid]: Withdrawal(
            event.actor_name, event.at, json.loads(event.body).get("reason", "")
        )
        for event in events
        if event.subject_uuid is not None
    }


def withdrawn_from(
    implementation: int, known_at: dt.datetime | None, limit: int
) -> list[tuple[EvidenceLink, Withdrawal]]:
    """What was taken back of one control by then (None: now), the newest link first.

    At most `limit`. Two statements, or one.
    """
    links = (
        EvidenceLink.objects.filter(
            implementation=implementation, state=LinkState.WITHDRAWN
        )
        .for_listing()
        .order_by("-pk")[:limit]
    )
    withdrawals = withdrawals_of(links)
    return [
        (link, withdrawals[link.pk])
        for link in links
        if link.pk in withdrawals
        and (known_at is None or withdrawals[link.pk].at < known_at)
    ]
