"""Days of a window on which proof could not count, whatever was performed. Pure.

Days are inclusive. Source: rules R15, R28 and R30.
"""

from __future__ import annotations

import datetime as dt
from operator import itemgetter

from evidence.status.day import DONE
from evidence.status.day_ranges import Days, both, clip, subtract, united
from evidence.status.facts import PeriodFacts
from evidence.status.finding_days import open_days
from evidence.status.reasons import Reason, reason_for
from evidence.status.values import value

# First and last day, code of the reason, its subject and its parameters.
Row = tuple[dt.date, dt.date, str, str, dict[str, str]]


@value
class BlockedDays:
    """Days of the window on which proof could not count, and why (R28, R30)."""

    first: dt.date
    last: dt.date
    reason: Reason


def blocked_days(
    facts: PeriodFacts, required: list[Days], applicable: list[Days]
) -> tuple[BlockedDays, ...]:
    """Days on which our half was `required` and could not count, and days on which the
    control was `applicable` and a finding or an observation stood against it."""
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
    rows: list[Row] = [
        (first, last, code, "", {"status": status})
        for (first, last), code, status in blocked
    ]
    rows += _seen_to_fail(facts, applicable)
    return tuple(
        BlockedDays(
            first,
            last,
            reason_for(
                code,
                subject,
                days=(last - first).days + 1,
                start=first,
                end=last,
                **params,
            ),
        )
        for first, last, code, subject, params in sorted(rows, key=itemgetter(0, 1, 2))
    )


def _seen_to_fail(facts: PeriodFacts, applicable: list[Days]) -> list[Row]:
    """Days of open findings, one row for each, and of observations together (R28)."""
    if not applicable:
        return []
    first, last = applicable[0][0], applicable[-1][1]
    rows: list[Row] = [
        (*days, "blocked_by_finding", finding.title, {})
        for finding in facts.findings
        for days in both(applicable, open_days(finding, first, last))
    ]
    if facts.contradicted:
        since = max(first, min(facts.contradicted))
        for days in clip(applicable, since, last):
            rows.append((*days, "blocked_by_observation", "", {}))
    return rows


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
