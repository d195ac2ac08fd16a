"""Days of a window on which our half could not count, whatever was performed. Pure.

Days are inclusive. Source: rules R15, R28 and R30.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evidence.status.day import DONE
from evidence.status.day_ranges import Days, both, clip, subtract, united
from evidence.status.facts import PeriodFacts
from evidence.status.reasons import Reason, reason_for


@dataclass(frozen=True, slots=True)
class BlockedDays:
    """Days of the window on which our half could not count, and why (R28, R30)."""

    first: dt.date
    last: dt.date
    reason: Reason


def blocked_days(facts: PeriodFacts, required: list[Days]) -> tuple[BlockedDays, ...]:
    """Days on which our half was required and could not count (R28, R30)."""
    done = DONE | ({"alternative"} if facts.alternative_approved else set())
    blocked = []
    stated: list[Days] = []
    for days in facts.stated:
        stated.append((days.first, days.last))
        if days.status not in done:
            pieces = clip(required, days.first, days.last)
            blocked += [(piece, "blocked_by_status", days.status) for piece in pieces]
    for piece in subtract(required, stated):
        blocked.append((piece, "blocked_by_status", "not-stated"))
    for piece in _only_design(facts, required):
        blocked.append((piece, "blocked_by_design", ""))
    return tuple(
        BlockedDays(
            first,
            last,
            reason_for(
                code, days=(last - first).days + 1, start=first, end=last, status=status
            ),
        )
        for (first, last), code, status in sorted(blocked)
    )


def _only_design(facts: PeriodFacts, required: list[Days]) -> list[Days]:
    """Days of a Type II engagement of which everything asked shows design only."""
    days_by_purpose = {"design": [], "operation": []}  # type: dict[str, list[Days]]
    for history in facts.requirements:
        for terms in history.terms:
            days_by_purpose[terms.purpose] += clip(
                history.named, terms.first, terms.last
            )
    design = subtract(united(days_by_purpose["design"]), days_by_purpose["operation"])
    return both(both(required, united(facts.type2)), design)
