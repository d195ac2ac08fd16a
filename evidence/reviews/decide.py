"""Many decisions at once, each with its own reason: all of them, or none."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from controls.errors import Refused, SrmError
from controls.models import Actor, AuditEvent
from controls.reasons import refuse_long
from evidence.models import EvidenceLink, LinkState
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation

AT_ONCE = 100


@dataclass(frozen=True)
class Decision:
    """What one reviewer says about one link, as it was on the screen."""

    link: uuid.UUID
    accept: bool
    reason: str = ""
    version: int | None = None
    day: DayConfirmation = NOT_CONFIRMED
    complete: bool = False


NAMED_TWICE = "This is decided twice here. Decide it once."


class SomeRefused(SrmError):
    """No decision was recorded; `by_link` says why, by the link's uuid."""

    status_code = 409

    def __init__(self, by_link: dict[uuid.UUID, str]) -> None:
        self.by_link = by_link
        super().__init__({str(link): reason for link, reason in by_link.items()})


@transaction.atomic
def decide_all(decisions: Sequence[Decision], *, by: Actor) -> list[EvidenceLink]:
    """Record every decision with its review and event, or raise SomeRefused.

    Links are locked in the order of their keys before anything is written, and the
    events are written last: the same order as a single review takes its locks in.
    """
    if len(decisions) > AT_ONCE:
        raise Refused(f"Decide at most {AT_ONCE} at a time.")
    named = Counter(decision.link for decision in decisions)
    if twice := [link for link, times in named.items() if times > 1]:
        raise SomeRefused(dict.fromkeys(twice, NAMED_TWICE))
    by_link = {decision.link: decision for decision in decisions}
    locked = list(EvidenceLink.objects.visible_to(by).locked().filter(uuid__in=by_link))
    gone = by_link.keys() - {link.uuid for link in locked}
    refused = dict.fromkeys(gone, "This is not there (any more).")
    authors = EvidenceLink.objects.filter(
        pk__in=[row.pk for row in locked]
    ).authors_of()
    events = []
    for link in locked:
        try:
            events.append(_decide(link, by_link[link.uuid], by, authors[link.pk]))
        except ValidationError as refusal:
            refused[link.uuid] = " ".join(refusal.messages)
    if refused:
        raise SomeRefused(refused)
    AuditEvent.objects.append_all(events)
    return locked


def _decide(
    link: EvidenceLink, decision: Decision, by: Actor, authors: Collection[int]
) -> Any:
    refuse_long(decision.reason)
    if not decision.accept and not decision.reason.strip():
        raise Refused("Say why, and what to change.")
    verb, state = "accept", LinkState.ACCEPTED
    if not decision.accept:
        verb, state = "reject", LinkState.REJECTED
    return link.decided(
        verb,
        state,
        by=by,
        reason=decision.reason,
        version=decision.version,
        authors=authors,
        day=decision.day,
        complete=decision.complete,
    )
