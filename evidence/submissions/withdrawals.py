"""Who took a link back, when and why: what the log says of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from controls.models import AuditEvent
from evidence.models import EvidenceLink, LinkState

WITHDRAWN = "evidence.withdrawn"


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
        verb=WITHDRAWN, subject_uuid__in=list(withdrawn)
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

    At most `limit` of those known. Two statements, or one.
    """
    links = EvidenceLink.objects.filter(
        implementation=implementation, state=LinkState.WITHDRAWN
    )
    if known_at is not None:
        known = AuditEvent.objects.filter(
            verb=WITHDRAWN, subject_uuid=OuterRef("uuid"), at__lt=known_at
        )
        links = links.filter(Exists(known))
    shown = links.for_listing().order_by("-pk")[:limit]
    withdrawals = withdrawals_of(shown)
    return [(link, withdrawals[link.pk]) for link in shown if link.pk in withdrawals]
