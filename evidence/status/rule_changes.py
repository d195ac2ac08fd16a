"""Which controls of a system answer otherwise than by the rules before (R35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from controls.models import System
from evidence.models import EvidenceLink
from evidence.status.clock_parameters import Window
from evidence.status.facts import ControlFacts, PeriodFacts
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from evidence.status.rules_before import Both, RuleChange, difference


def rule_changes(
    system: System, moment: Moment, window: Window
) -> tuple[list[RuleChange], int]:
    """The differences in catalog order, and how many controls were compared.

    A constant number of statements. Raises LookupError when the system was not recorded
    by the moment.
    """
    pks = list(system.implementations.values_list("pk", flat=True))
    days = gather(system, pks, moment).facts
    windows = gather_period(system, pks, *window, moment)
    pairs = [(days[pk], windows[pk]) for pk in days if pk in windows]
    ends = _ends_at_upload(pairs)
    both = [Both(day, over, ends) for day, over in pairs]
    compared = (difference(facts, moment.on, *window) for facts in both)
    return [change for change in compared if change is not None], len(both)


def _ends_at_upload(
    pairs: Iterable[tuple[ControlFacts, PeriodFacts]],
) -> dict[str, dt.date | None]:
    """The last day that links of these facts proved by the terms of their upload."""
    uuids = set()
    for day, over in pairs:
        for row in day.requirements:
            newest = [row.latest_accepted] if row.latest_accepted else []
            uuids |= {link.link for link in (*newest, *row.others_accepted)}
        for history in over.requirements:
            uuids |= {link.link for link in history.links}
    rows = EvidenceLink.objects.filter(uuid__in=uuids).order_by()
    return {str(uuid): ends for uuid, ends in rows.values_list("uuid", "proves_to")}
