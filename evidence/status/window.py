"""Does proof of a control hold over a window? The specification, free of Django.

Both days of a window are inclusive. Source: rules R11, R14 to R16, R21, R23, R25, R30,
R31 and R34.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from evidence.status.blocked import BlockedDays, blocked_days
from evidence.status.coverage import NeedDays, days_of
from evidence.status.day import blockers, status
from evidence.status.day_ranges import Days, both, clip, count, covers, subtract
from evidence.status.duty import standing_days
from evidence.status.expected import occurrences_of
from evidence.status.facts import AWS, AwsFacts, ControlFacts, PeriodFacts
from evidence.status.half import GOOD
from evidence.status.occurrence_results import Occurrences
from evidence.status.our_half import requirement_state
from evidence.status.reasons import Reason, reason_for
from evidence.status.reports import RELIED_ON, spoken_days
from evidence.status.values import value
from evidence.status.window_reasons import our_reasons, unasked_reasons

Result = Literal["complete", "exceptions", "running", "nothing"]


@value
class AwsDays:
    """The providers' half counted in days of its worst need; `services` has all.

    Awaited days are no exception yet (R21).
    """

    audited: int = 0
    asserted: int = 0
    open_days: int = 0
    services: tuple[NeedDays, ...] = ()
    awaited: int = 0

    def of_provider(self, slug: str) -> NeedDays | None:
        """The worst need of one provider; None: not needed in the window."""
        return worst_need([row for row in self.services if row.provider == slug])


def worst_need(rows: Sequence[NeedDays]) -> NeedDays | None:
    """The one that leaves most days open of those needed on some day; else None."""
    return max(
        (row for row in rows if row.needed),
        key=lambda row: (row.open_days, row.awaited, row.asserted, row.slug),
        default=None,
    )


@value
class Period:
    """The result over a window with both counts and the reasons.

    `unasked_days` of the window nothing was asked although our half was required;
    `asked_from` is the first day of it on which something was (None: never, or no
    day is unasked), `unasked` are those days.
    """

    result: Result
    occurrences: Occurrences
    aws_days: AwsDays
    reasons: tuple[Reason, ...] = ()
    unasked_days: int = 0
    asked_from: dt.date | None = None
    blocked: tuple[BlockedDays, ...] = ()
    unasked: tuple[Days, ...] = ()


def period(
    facts: PeriodFacts, start: dt.date, end: dt.date, *, today: dt.date
) -> Period:
    """Judge one control over start..end as it stands on `today`.

    AWS's days, unasked and blocked days are counted to `today` where the window has
    not ended.
    """
    until = min(end, today)
    window = [(start, until)] if start <= until else []
    if window and covers(facts.not_applicable, window):
        return Period("nothing", Occurrences(), AwsDays())
    ours = occurrences_of(facts, start, end, today)
    standing = standing_days(facts.required, facts.not_applicable)
    required = both(standing, window)
    unasked = subtract(required, [d for r in facts.requirements for d in r.named])
    applicable = subtract(window, list(facts.not_applicable))
    blocked = blocked_days(facts, required, applicable)
    aws = AwsDays()
    if facts.aws_required:
        aws = _aws_days(facts.aws, start, end, today)
    unanswered = _unanswered(facts.aws, start, until)
    result, at_end = _result(
        facts,
        ours,
        aws,
        bool(clip(standing, start, end)),
        unasked,
        (*blocked, *unanswered),
        end,
        today,
    )
    days_asked = [days for days in subtract(required, unasked) if unasked]
    return Period(
        result,
        ours,
        aws,
        (
            *our_reasons(ours),
            *unasked_reasons(unasked, days_asked),
            *(days.reason for days in blocked),
            *_aws_reasons(aws),
            *unanswered,
            *at_end,
        ),
        count(unasked),
        days_asked[0][0] if days_asked else None,
        blocked,
        tuple(unasked),
    )


def _result(
    facts: PeriodFacts,
    ours: Occurrences,
    aws: AwsDays,
    customer_required: bool,
    unasked: list[Days],
    blocked: tuple[BlockedDays | Reason, ...],
    end: dt.date,
    today: dt.date,
) -> tuple[Result, tuple[Reason, ...]]:
    """R15, and why it is not complete although nothing else says so (R34).

    A required half of which nothing was ever asked is an exception at once, days that
    were not asked or blocked are once the window has ended.
    """
    nothing_asked = bool(unasked) and not facts.requirements
    waived = any(result.former_outcome in {"late", "missed"} for result in ours.results)
    waiting = ours.not_yet_due or ours.event_days.not_yet_due
    ended = today > end and not waiting
    failed = bool(
        ours.late
        or ours.missed
        or ours.deviations
        or ours.event_days.open
        or aws.open_days
        or waived
        or nothing_asked
    )
    if not (customer_required or facts.aws_required):
        return ("exceptions" if failed else "nothing"), ()
    if not ended:
        return ("exceptions" if failed else "running"), ()
    at_end = _not_proven_at_end(facts, ours, end)
    if failed or unasked or blocked or at_end:
        return "exceptions", at_end
    return ("complete" if ours.expected or facts.aws_required else "nothing"), ()


def _not_proven_at_end(
    facts: PeriodFacts, ours: Occurrences, end: dt.date
) -> tuple[Reason, ...]:
    """R34: what is not proven on the last day is not complete over the window.

    Our half counts as shown where it lacks only performances that came in time, but
    after the window's end, within the grace of a period that ended in it.
    """
    control = facts.at_end
    if control is None:
        return ()
    judged = status(control, end)
    if judged.verdict in {"proven", "not_applicable"}:
        return ()
    aws_shown = not control.aws_required or judged.aws_half in GOOD
    ours_shown = not control.customer_required or (
        judged.customer_half in GOOD or _shown_within_grace(control, ours, end)
    )
    needed = control.aws_required or control.customer_required
    if needed and aws_shown and ours_shown and not blockers(control, end):
        return ()
    return (reason_for("not_proven_at_end", end=end),)


def _shown_within_grace(control: ControlFacts, ours: Occurrences, end: dt.date) -> bool:
    """Whether each ask that shows nothing on the last day was answered within grace."""
    in_operation = [r for r in control.requirements if r.operates_on(end)]
    if control.type2 and all(r.purpose == "design" for r in in_operation):
        return False
    answered = {
        result.requirement
        for result in ours.results
        if result.outside == "after_within_grace"
    }
    lacking = [
        requirement
        for requirement in in_operation
        if requirement_state(requirement, end).state not in GOOD
    ]
    return bool(lacking) and all(r.uuid in answered for r in lacking)


def _aws_days(
    aws: AwsFacts | None, start: dt.date, end: dt.date, today: dt.date
) -> AwsDays:
    """The worst need of the worst provider decides; each is listed."""
    last = min(end, today)
    if aws is None or start > last:
        return AwsDays()
    rows = tuple(
        days_of(need, aws, start, last, running=today <= end) for need in aws.needed
    )
    decisive = worst_need(rows)
    if decisive is None:
        return AwsDays(services=rows)
    return AwsDays(
        decisive.audited,
        decisive.asserted,
        decisive.open_days,
        rows,
        decisive.awaited,
    )


def _aws_reasons(aws: AwsDays) -> tuple[Reason, ...]:
    return tuple(
        reason_for(
            "aws_days_open",
            _subject(row),
            covered=_covered(row),
            days=row.open_days,
            start=row.open_ranges[0][0],
            provider=row.provider_name,
        )
        for row in aws.services
        if row.open_days
    )


def _unanswered(
    aws: AwsFacts | None, start: dt.date, until: dt.date
) -> tuple[Reason, ...]:
    """Exceptions without an accepted response in reports whose days count (R15)."""
    if aws is None:
        return ()
    return tuple(
        reason_for("exception_unanswered", f"{version.artifact}, {version.label}")
        for version in aws.versions
        if version.exceptions_open
        and version.reliance in RELIED_ON
        and spoken_days(version)[0] <= until
        and spoken_days(version)[1] >= start
    )


def _subject(row: NeedDays) -> str:
    """The slug of a service of AWS; another provider by name, with its sites."""
    if row.provider == AWS:
        return row.slug
    return ", ".join((row.provider_name, *row.sites))


def _covered(row: NeedDays) -> str:
    """`report to 31 March, letter to 30 June, `: how far each reaches in the window."""
    word = "letter" if row.audited_ranges or row.provider == AWS else "asserted"
    ranges_of = (("report", row.audited_ranges), (word, row.asserted_ranges))
    return "".join(
        f"{name} to {ranges[-1][1].day} {ranges[-1][1]:%B}, "
        for name, ranges in ranges_of
        if ranges
    )
