"""What would turn: an answer before a step is confirmed, judged by the real rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from controls.models import Actor, System
from evidence.models import EvidenceLink
from evidence.status.control_status import ControlStatus, control_statuses, window_of
from evidence.status.gather import Moment

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Turn:
    """One control whose answer changes, with both answers."""

    before: ControlStatus
    after: ControlStatus

    @property
    def label(self) -> str:
        """The control, as people call it."""
        return str(self.before.implementation["label"])

    @property
    def ref_id(self) -> str:
        """The control's identifier."""
        return str(self.before.implementation["ref_id"])


def turned(
    before: Sequence[ControlStatus], after: Sequence[ControlStatus]
) -> list[Turn]:
    """Controls whose half, verdict or window result differs between two answers."""
    pairs = zip(before, after, strict=True)
    return [Turn(a, b) for a, b in pairs if _shown(a) != _shown(b)]


def _shown(answer: ControlStatus) -> tuple[Any, ...]:
    result = answer.period
    counts = (result.result, result.occurrences.missed) if result else ()
    return (answer.status.customer_half, answer.status.verdict, *counts)


def if_withdrawn(link: EvidenceLink, *, by: Actor, today: dt.date) -> list[Turn]:
    """What withdrawing a link would turn today. Changes nothing.

    The step is taken and rolled back, so that the very rules answer. Raises what
    withdrawing raises for a link that is no longer in force.
    """
    system, pks = link.system, [link.implementation_id]
    window = window_of(system)
    before = control_statuses(system, Moment(today), pks=pks, window=window)
    with transaction.atomic():
        EvidenceLink.objects.get(pk=link.pk).withdraw(by=by, reason="what if")
        after = control_statuses(system, Moment(today), pks=pks, window=window)
        transaction.set_rollback(True)
    return turned(before, after)


def if_lapsed(
    system: System, implementations: Iterable[int], day: dt.date
) -> list[Turn]:
    """What turns on the day after `day` if nothing newer is accepted by then."""
    pks = sorted(set(implementations))
    before = control_statuses(system, Moment(day), pks=pks)
    after = control_statuses(system, Moment(day + ONE_DAY), pks=pks)
    return turned(before, after)
